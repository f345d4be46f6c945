/** Small parts that every page uses: labelled fields, a form that can be busy and can fail, a message line. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

export function Field(props: {
  readonly label: string;
  readonly name: string;
  readonly type?: 'text' | 'password';
  readonly autoComplete?: string;
  readonly hint?: string;
  readonly value?: string;
}): JSX.Element {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <p class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        name={props.name}
        {...(props.type === 'password' ? { type: 'password' as const } : { type: 'text' as const })}
        autoComplete={props.autoComplete ?? 'off'}
        autoCapitalize="none"
        spellcheck={false}
        required
        defaultValue={props.value ?? ''}
        aria-describedby={props.hint === undefined ? undefined : hintId}
      />
      {props.hint !== undefined && (
        <span class="hint" id={hintId}>
          {props.hint}
        </span>
      )}
    </p>
  );
}

export function Message({ text }: { readonly text: string | undefined }): JSX.Element {
  return (
    <p class="message" role="alert">
      {text}
    </p>
  );
}

/** Calls `work` with the fields' texts; shows why it failed; passphrases and passwords are emptied afterwards. */
export function ActionForm(props: {
  readonly submit: string;
  readonly work: (fields: Readonly<Record<string, string>>) => Promise<void>;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const onSubmit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields: Record<string, string> = {};
    for (const [name, value] of new FormData(form)) if (typeof value === 'string') fields[name] = value;
    setBusy(true);
    setProblem(undefined);
    try {
      await props.work(fields);
    } catch (thrown) {
      setProblem(thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      for (const input of form.querySelectorAll<HTMLInputElement>('input[type=password]')) input.value = '';
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      {props.children}
      <button type="submit" disabled={busy}>
        {busy ? 'One moment…' : props.submit}
      </button>
      <Message text={problem} />
    </form>
  );
}

/** The heading of a page: takes the focus when the page changes, so that a screen reader starts here. */
export function PageHeading({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Words of an agency: plain text, and whatever way it is written, it can't turn around the words beside it. */
export function Theirs({ text }: { readonly text: string }): JSX.Element {
  return <bdi>{text}</bdi>;
}

/** A name and its value; the value is text, never markup. */
export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
