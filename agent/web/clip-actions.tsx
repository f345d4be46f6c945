/** Keeping and deleting a clip, for an owner's log-in, with a way back: what is deleted can be taken back for ten minutes. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ClipSummary, DeletedClip, PinResult } from '../owner/service.ts';
import { get, Problem, post } from './api.ts';
import { Message } from './form.tsx';
import { useLoaded } from './load.ts';
import { clockTime, size } from './words.ts';

export function ClipActions(props: { readonly clip: ClipSummary; readonly onChange: () => void }): JSX.Element {
  const { clipId, startMs, pinned } = props.clip;
  const [note, setNote] = useState<string>();
  const [busy, setBusy] = useState(false);
  const act = (work: () => Promise<string | undefined>): void => {
    setBusy(true);
    work()
      .then(setNote)
      .catch((thrown: unknown) => setNote(thrown instanceof Problem ? thrown.message : 'That did not work.'))
      .finally(() => {
        setBusy(false);
        props.onChange();
      });
  };
  const pin = async (): Promise<string> => {
    const done = await post<PinResult>('/api/clips/pin', { clipIds: [clipId], pinned: !pinned });
    const share = Math.round((done.pinnedBytes / done.quotaBytes) * 100);
    return `Pinned clips now take ${size(done.pinnedBytes)}, ${share} % of the quota.`;
  };
  const remove = async (): Promise<undefined> => {
    await post('/api/clips/delete', { clipIds: [clipId] });
  };
  return (
    <div class="clip-actions">
      <button
        type="button"
        disabled={busy}
        aria-pressed={pinned}
        aria-label={`Pin the clip from ${clockTime(startMs)}`}
        onClick={() => act(pin)}
      >
        {pinned ? 'Unpin' : 'Pin'}
      </button>
      <button
        type="button"
        disabled={busy}
        aria-label={`Delete the clip from ${clockTime(startMs)}`}
        onClick={() => act(remove)}
      >
        Delete
      </button>
      <Message text={note} />
    </div>
  );
}

/** Stands where it is seen after a deletion, also after the page was loaded anew. */
export function DeletedClips(props: {
  readonly revision: number;
  readonly mayUndo: boolean;
  readonly onChange: () => void;
}): JSX.Element | null {
  const { value } = useLoaded(() => get<readonly DeletedClip[]>('/api/clips/deleted'), [props.revision]);
  const [problem, setProblem] = useState<string>();
  const undo = (clipId: string): void => {
    post('/api/clips/undelete', { clipIds: [clipId] })
      .then(() => setProblem(undefined))
      .catch((thrown: unknown) => setProblem(thrown instanceof Problem ? thrown.message : 'That did not work.'))
      .finally(props.onChange);
  };
  if ((value ?? []).length === 0 && problem === undefined) return null;
  return (
    <section class="card deleted" aria-label="Deleted clips">
      <Message text={problem} />
      <ul>
        {(value ?? []).map(({ clipId, cameraName, goneAtMs }) => (
          <li key={clipId}>
            Deleted a clip of {cameraName}; gone for good at {clockTime(goneAtMs)}.{' '}
            {props.mayUndo && (
              <button type="button" onClick={() => undo(clipId)}>
                Undo
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
