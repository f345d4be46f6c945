/** The clips that meet the window: look, tick, trim. None is ticked beforehand. */
import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { ClipSummary, RequestDetail, Selection } from '../owner/service.ts';
import { carefulRedaction, RedactChoice } from './redact-choice.tsx';
import { Still } from './still.tsx';
import { clockTime, day, duration, offsetAt } from './words.ts';

export function ClipChoice(props: {
  readonly request: RequestDetail;
  readonly clips: readonly ClipSummary[];
  readonly chosen: readonly Selection[];
  readonly onChoose: (selection: readonly Selection[]) => void;
}): JSX.Element {
  const { request, clips, chosen, onChoose } = props;
  if (clips.length === 0) return <p class="empty">Your cameras recorded nothing in this window.</p>;
  const change = (clipId: string, next: Selection | undefined): void => {
    const others = chosen.filter((selection) => selection.clipId !== clipId);
    const all = next === undefined ? others : [...others, next];
    onChoose(all.toSorted((a, b) => a.fromMs - b.fromMs));
  };
  return (
    <ol class="clips">
      {clips.map((clip) => (
        <ClipCard
          key={clip.clipId}
          clip={clip}
          bounds={{
            clipId: clip.clipId,
            fromMs: Math.max(clip.startMs, request.windowFromMs),
            toMs: Math.min(clip.endMs, request.windowToMs),
          }}
          selection={chosen.find((selection) => selection.clipId === clip.clipId)}
          onChange={(next) => change(clip.clipId, next)}
        />
      ))}
    </ol>
  );
}

function ClipCard(props: {
  readonly clip: ClipSummary;
  /** What of the clip lies in the window: the most that can be chosen. */
  readonly bounds: Selection;
  readonly selection: Selection | undefined;
  readonly onChange: (next: Selection | undefined) => void;
}): JSX.Element {
  const { clip, bounds, selection, onChange } = props;
  const [playing, setPlaying] = useState(false);
  const name = `${clip.cameraName}, ${clockTime(clip.startMs)}`;
  return (
    <li class="card clip">
      <Still clip={clip} />
      <div>
        <strong>
          {clockTime(clip.startMs)} to {clockTime(clip.endMs)}
        </strong>
        <span>
          {clip.cameraName}: {clip.labels.join(', ') || 'no label'}
        </span>
        <span class="hint">
          {day(clip.startMs)} {offsetAt(clip.startMs)}, {duration(clip.endMs - clip.startMs)}
        </span>
        {clip.cut && <span class="warning">Cut by a power loss: can’t be proved unaltered.</span>}
      </div>
      {playing ? (
        <video
          controls
          autoPlay
          playsInline
          muted
          src={`/api/clips/${clip.clipId}/video`}
          aria-label={`Clip: ${name}`}
        />
      ) : (
        <button type="button" onClick={() => setPlaying(true)} aria-label={`Play: ${name}`}>
          Play
        </button>
      )}
      <label class="tick">
        <input
          type="checkbox"
          checked={selection !== undefined}
          onChange={(event) =>
            onChange(event.currentTarget.checked ? { ...bounds, redact: carefulRedaction } : undefined)
          }
        />
        Include this clip<span class="unseen">: {name}</span>
      </label>
      {selection !== undefined && <Trim bounds={bounds} selection={selection} onChange={onChange} />}
      {selection !== undefined && <RedactChoice clip={clip} selection={selection} onChange={onChange} />}
    </li>
  );
}

const stepMs = 500;
/** Less than this is no clip. */
const shortestMs = 1000;

function Trim(props: {
  readonly bounds: Selection;
  readonly selection: Selection;
  readonly onChange: (next: Selection) => void;
}): JSX.Element {
  const { bounds, selection, onChange } = props;
  return (
    <fieldset>
      <legend>Send only this part ({duration(selection.toMs - selection.fromMs)})</legend>
      <TrimEnd
        label="From"
        startMs={bounds.fromMs}
        leastMs={bounds.fromMs}
        mostMs={selection.toMs - shortestMs}
        endMs={bounds.toMs}
        valueMs={selection.fromMs}
        onChange={(fromMs) => onChange({ ...selection, fromMs })}
      />
      <TrimEnd
        label="To"
        startMs={bounds.fromMs}
        leastMs={selection.fromMs + shortestMs}
        mostMs={bounds.toMs}
        endMs={bounds.toMs}
        valueMs={selection.toMs}
        onChange={(toMs) => onChange({ ...selection, toMs })}
      />
    </fieldset>
  );
}

/** A slider over the whole clip that stops where the other end is. */
function TrimEnd(props: {
  readonly label: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
  readonly valueMs: number;
  readonly onChange: (ms: number) => void;
}): JSX.Element {
  const { label, startMs, endMs, leastMs, mostMs, valueMs, onChange } = props;
  const id = useId();
  const change = (slider: HTMLInputElement): void => {
    const ms = Math.max(leastMs, Math.min(startMs + Number(slider.value), mostMs));
    slider.value = String(ms - startMs);
    onChange(ms);
  };
  return (
    <div class="trim">
      <label for={id}>{label}</label>
      <output for={id}>{clockTime(valueMs)}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={endMs - startMs}
        step={stepMs}
        value={valueMs - startMs}
        aria-valuetext={clockTime(valueMs)}
        onChange={(event) => change(event.currentTarget)}
      />
    </div>
  );
}
