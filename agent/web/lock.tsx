/** What is open and what is locked, and how to change that: unlock by this browser's key, pair it, or lock. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { post } from './api.ts';
import type { PageProps } from './app.tsx';
import { ActionForm, Field } from './form.tsx';
import { forgetPairing, loadPairing, type Pairing, savePairing } from './pairing.ts';
import { lockInWords } from './words.ts';

export function LockPanel({ health, refresh }: PageProps): JSX.Element {
  const [pairing, setPairing] = useState(loadPairing);
  const [asking, setAsking] = useState(false);
  const { lock } = health;
  const unlock = async (): Promise<void> => {
    await post('/api/unlock', pairing);
    await refresh();
  };
  const pair = async (fields: Readonly<Record<string, string>>): Promise<void> => {
    // The answer says more (how long it lasts), which unlocking would refuse.
    const answer = await post<Pairing>('/api/pair', { passphrase: fields['passphrase'], name: fields['browser'] });
    const made = { pairingId: answer.pairingId, viewingKey: answer.viewingKey };
    savePairing(made);
    setPairing(made);
    setAsking(false);
    await post('/api/unlock', made);
    await refresh();
  };
  const lockNow = async (): Promise<void> => {
    await post('/api/lock');
    await refresh();
  };
  const forget = async (): Promise<void> => {
    if (pairing !== undefined) await post('/api/unpair', { pairingId: pairing.pairingId });
    forgetPairing();
    setPairing(undefined);
  };
  return (
    <section class="lock" aria-label="Lock" data-lock={lock}>
      <p role="status">
        <span class="dot" aria-hidden="true" /> <strong>{lockInWords(lock)}</strong>
        <span class="hint">
          {lock === 'locked' && ' Clips are sealed; nobody can look at them.'}
          {lock === 'viewing' && ' Clips can be looked at. Deciding needs the passphrase.'}
          {lock === 'deciding' && ' Clips can be looked at and requests decided.'}
        </span>
      </p>
      <div class="actions">
        {lock !== 'locked' && <ActionForm submit="Lock" work={lockNow} />}
        {lock === 'locked' && pairing !== undefined && <ActionForm submit="Unlock viewing" work={unlock} />}
        {pairing === undefined && (
          <button type="button" aria-expanded={asking} onClick={() => setAsking(!asking)}>
            {asking ? 'Not now' : 'Pair this browser'}
          </button>
        )}
        {pairing !== undefined && lock === 'locked' && <ActionForm submit="Forget this browser" work={forget} />}
      </div>
      {asking && pairing === undefined && (
        <ActionForm submit="Pair" work={pair}>
          <Field label="Name of this browser" name="browser" value="This browser" />
          <Field
            label="Passphrase"
            name="passphrase"
            type="password"
            hint="The six words from the set-up. The browser keeps a key for viewing, never the passphrase."
          />
        </ActionForm>
      )}
    </section>
  );
}
