/** Yes and no: two buttons of the same size and colour, side by side, and the plain remark that neither is needed. */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Preview } from '../owner/service.ts';
import { post } from './api.ts';
import { Message } from './form.tsx';

export function Decision(props: {
  readonly path: string;
  readonly preview: Preview | undefined;
  readonly refresh: () => Promise<void>;
}): JSX.Element {
  const { path, preview, refresh } = props;
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
