/** Yes and no: two buttons of the same size and colour, side by side, and the plain remark that neither is needed. */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { SessionBody } from '../owner/api/types.ts';
import type { Preview, SafeguardSummary } from '../owner/service.ts';
import { post } from './api.ts';
import { Message } from './form.tsx';
import { duration } from './words.ts';

export function Decision(props: {
  readonly path: string;
  readonly preview: Preview | undefined;
  readonly safeguards: SafeguardSummary;
  readonly session: SessionBody;
  readonly refresh: () => Promise<void>;
}): JSX.Element {
  const { path, preview, safeguards, session, refresh } = props;
  const passphrase = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      await refresh();
      // What follows (the new state, and the way back after a yes) stands at the top.
      document.querySelector('h1')?.focus();
    } catch (thrown) {
      setProblem((thrown as Error).message);
    } finally {
      if (passphrase.current !== null) passphrase.current.value = '';
      setBusy(false);
    }
  };
  const approve = (): void => {
    const text = passphrase.current?.value ?? '';
    if (preview === undefined) return setProblem('To approve, first choose clips and look at what would be sent.');
    if (text === '') {
      setProblem('To approve, type the passphrase.');
      return passphrase.current?.focus();
    }
    void act(() => post(`${path}/approve`, { previewId: preview.previewId, passphrase: text }));
  };
  return (
    <section aria-labelledby="decide-heading">
      <h2 id="decide-heading">Decide, or don’t</h2>
      <p>Leaving this page is fine: saying no and saying nothing look the same from outside.</p>
      <AfterYes safeguards={safeguards} name={session.name} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          approve();
        }}
      >
        {preview !== undefined && (
          <p class="field">
            <label for="decide-passphrase">Passphrase, to approve</label>
            <input id="decide-passphrase" ref={passphrase} type="password" autoComplete="off" spellcheck={false} />
          </p>
        )}
        <div class="pair">
          <button type="submit" disabled={busy}>
            Approve
          </button>
          <button type="button" disabled={busy} onClick={() => void act(() => post(`${path}/decline`))}>
            Decline
          </button>
        </div>
        <Message text={problem} />
      </form>
    </section>
  );
}

/** What still stands between a yes and the agency. */
function AfterYes(props: { readonly safeguards: SafeguardSummary; readonly name: string }): JSX.Element {
  const { coolingOffMs, secondApprover } = props.safeguards;
  return (
    <p>
      {coolingOffMs > 0 && `After a yes nothing leaves for ${duration(coolingOffMs)}, and you can take it back. `}
      {secondApprover === props.name && 'Your log-in is the one that confirms, so another must approve.'}
      {secondApprover !== null &&
        secondApprover !== props.name &&
        `Nothing leaves before ${secondApprover} has confirmed it too.`}
    </p>
  );
}
