/** Looking back: one day at a time, as a line over 24 hours and as a list, with playback. Needs viewing. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ClipSummary } from '../owner/service.ts';
import { get } from './api.ts';
import type { PageProps } from './app.tsx';
import { ClipActions, DeletedClips } from './clip-actions.tsx';
import { Message, PageHeading } from './form.tsx';
import { useLoaded } from './load.ts';
import { Still } from './still.tsx';
import { clockTime, dateOf, day, dayBounds, duration, offsetAt, size } from './words.ts';

export function ClipsPage({ session, health, revision }: PageProps): JSX.Element {
  const [date, setDate] = useState(() => /[?&]day=(\d{4}-\d{2}-\d{2})/.exec(location.hash)?.[1] ?? dateOf(Date.now()));
  const [playing, setPlaying] = useState<string>();
  const [changes, setChanges] = useState(0);
  const changed = (): void => setChanges((count) => count + 1);
  const { fromMs, toMs } = dayBounds(date);
  const locked = health.lock === 'locked';
  const mayChange = session.role === 'owner';
  const { value, problem } = useLoaded(
    () => (locked ? Promise.resolve([]) : get<readonly ClipSummary[]>(`/api/clips?from=${fromMs}&to=${toMs}`)),
    [date, locked, revision, changes],
  );
  const clips = (value ?? []).toSorted((a, b) => a.startMs - b.startMs);
  const step = (days: number): void => setDate(dateOf(dayBounds(date).fromMs + days * 86_400_000 + 12 * 3_600_000));
  return (
    <>
      <PageHeading>Clips</PageHeading>
      <div class="day">
        <button type="button" onClick={() => step(-1)}>
          Day before
        </button>
        <label class="field">
          Day
          <input
            type="date"
            value={date}
            onChange={(event) => event.currentTarget.value !== '' && setDate(event.currentTarget.value)}
          />
        </label>
        <button type="button" onClick={() => step(1)}>
          Day after
        </button>
      </div>
      <Message text={problem} />
      {locked ? (
        <p class="empty">Clips are sealed. Unlock viewing above to look at them.</p>
      ) : (
        <>
          <p class="hint">
            {day(fromMs + 3_600_000)}, times in {offsetAt(fromMs)}. {clips.length}{' '}
            {clips.length === 1 ? 'clip' : 'clips'}.
          </p>
          <DayLine clips={clips} fromMs={fromMs} toMs={toMs} />
          <p class="hours" aria-hidden="true">
            {['0:00', '6:00', '12:00', '18:00', '24:00'].map((hour) => (
              <span key={hour}>{hour}</span>
            ))}
          </p>
          <DeletedClips revision={revision + changes} mayUndo={mayChange} onChange={changed} />
          {value !== undefined && clips.length === 0 && <p class="empty">No clip on this day.</p>}
          <ol class="clips">
            {clips.map((clip) => (
              <li key={clip.clipId} class="card clip">
                <Still clip={clip} />
                <div>
                  <strong>
                    {clockTime(clip.startMs)} to {clockTime(clip.endMs)}
                  </strong>
                  <span>
                    {clip.cameraName}: {clip.labels.join(', ') || 'no label'}
                  </span>
                  <span class="hint">
                    {duration(clip.endMs - clip.startMs)}, {size(clip.bytes)}
                    {clip.cut && ', cut short by a power loss'}
                    {clip.pinned && ', pinned'}
                  </span>
                </div>
                {playing === clip.clipId ? (
                  <video
                    controls
                    autoPlay
                    playsInline
                    muted
                    src={`/api/clips/${clip.clipId}/video`}
                    aria-label={`Clip from ${clockTime(clip.startMs)}`}
                  />
                ) : (
                  <button
                    type="button"
                    aria-label={`Play the clip from ${clockTime(clip.startMs)}`}
                    onClick={() => setPlaying(clip.clipId)}
                  >
                    Play
                  </button>
                )}
                {mayChange && <ClipActions clip={clip} onChange={changed} />}
              </li>
            ))}
          </ol>
        </>
      )}
    </>
  );
}

function DayLine(props: {
  readonly clips: readonly ClipSummary[];
  readonly fromMs: number;
  readonly toMs: number;
}): JSX.Element {
  const at = (ms: number): number => ((ms - props.fromMs) / (props.toMs - props.fromMs)) * 240;
  return (
    <svg class="day-line" viewBox="0 0 240 16" preserveAspectRatio="none" aria-hidden="true">
      <rect class="base" x="0" y="4" width="240" height="8" />
      {[6, 12, 18].map((hour) => (
        <line
          key={hour}
          class="hour"
          x1={at(props.fromMs + hour * 3_600_000)}
          x2={at(props.fromMs + hour * 3_600_000)}
          y1="2"
          y2="14"
        />
      ))}
      {props.clips.map((clip) => (
        <rect
          key={clip.clipId}
          class="mark"
          x={at(clip.startMs)}
          y="4"
          width={Math.max(1, at(clip.endMs) - at(clip.startMs))}
          height="8"
        />
      ))}
    </svg>
  );
}
