/** What of a clip is filled with black before it is sent, and the door to the editor in which people and places are chosen. */
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { ClipPeople, ClipSummary, Redaction, Selection } from '../owner/service.ts';
import { post } from './api.ts';
import { Message } from './form.tsx';
import { RedactEditor } from './redact-editor.tsx';

/** The careful choice is made beforehand: what was sent can't be taken back, what was hidden can be sent later. */
export const carefulRedaction: Redaction = { fill: 'people', masks: true };

const fills: readonly { readonly fill: Redaction['fill']; readonly label: string; readonly hint: string }[] = [
  {
    fill: 'people',
    label: 'Hide everybody whom you don’t keep',
    hint: 'Found by this device, which can miss somebody: watch the preview.',
  },
  { fill: 'moving', label: 'Hide everything that moves', hint: 'People, cars, animals. Misses less, hides more.' },
  {
    fill: 'none',
    label: 'Hide nobody',
    hint: 'As recorded and provably unaltered, unless you hide a part of the picture.',
  },
];

export function RedactChoice(props: {
  readonly clip: ClipSummary;
  readonly selection: Selection;
  readonly onChange: (next: Selection) => void;
}): JSX.Element {
  const { clip, selection, onChange } = props;
  const name = useId();
  const [found, setFound] = useState<ClipPeople>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const redact = selection.redact ?? { fill: 'none' };
  const change = (next: Redaction): void => {
    const { redact: _, ...bare } = selection;
    const nothing = next.fill === 'none' && (next.regions ?? []).length === 0;
    onChange(nothing ? bare : { ...bare, redact: { ...next, masks: next.fill !== 'none' } });
  };
  const look = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      setFound(await post<ClipPeople>(`/api/clips/${clip.clipId}/people`));
    } catch (thrown) {
      setProblem(thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      setBusy(false);
    }
  };
  const cancel = (): void => void post('/api/redaction/cancel').catch(() => {});
  return (
    <fieldset class="redact">
      <legend>Hide with solid black before sending</legend>
      {fills.map(({ fill, label, hint }) => (
        <div key={fill}>
          <label class="tick">
            <input
              type="radio"
              name={name}
              checked={redact.fill === fill}
              aria-describedby={`${name}-${fill}`}
              onChange={() => change({ ...redact, fill, keep: [] })}
            />
            {label}
          </label>
          <p class="hint" id={`${name}-${fill}`}>
            {hint}
          </p>
        </div>
      ))}
      {found === undefined ? (
        <p class="redact-open">
          <button type="button" disabled={busy} onClick={() => void look()}>
            {busy ? 'Looking through the clip…' : 'Choose people and places'}
          </button>
          {busy && (
            <button type="button" onClick={cancel}>
              Stop looking
            </button>
          )}
        </p>
      ) : (
        <RedactEditor clip={clip} found={found} redact={redact} onChange={change} />
      )}
      <Message text={problem} />
    </fieldset>
  );
}
