/** The clip with what was found drawn over it: people are kept or hidden, places are drawn. What is sent shows the preview. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClipPeople, ClipSummary, RedactedRegion, Redaction } from '../owner/service.ts';
import { RedactRegions } from './redact-regions.tsx';
import { clockTime } from './words.ts';

type Person = ClipPeople['people'][number];
type Place = Person['places'][number];

/** Where the person is, between the two known places around the moment; undefined while they are not there. */
export function placeOf({ places, fromMs, toMs }: Person, atMs: number): Place | undefined {
  if (atMs < fromMs || atMs > toMs) return undefined;
  const after = places.findIndex((place) => place.atMs >= atMs);
  const [a, b] = [places[Math.max(0, after - 1)], places[after < 0 ? places.length - 1 : after]];
  if (a === undefined || b === undefined || a === b || b.atMs === a.atMs) return b;
  const part = (atMs - a.atMs) / (b.atMs - a.atMs);
  const mix = (from: number, to: number): number => from + (to - from) * part;
  return { atMs, x: mix(a.x, b.x), y: mix(a.y, b.y), w: mix(a.w, b.w), h: mix(a.h, b.h) };
}

export function RedactEditor(props: {
  readonly clip: ClipSummary;
  readonly found: ClipPeople;
  readonly redact: Redaction;
  readonly onChange: (next: Redaction) => void;
}): JSX.Element {
  const { clip, found, redact, onChange } = props;
  const video = useRef<HTMLVideoElement>(null);
  const [atMs, setAtMs] = useState(found.startMs);
  const [drawn, setDrawn] = useState<RedactedRegion>();
  const [from, setFrom] = useState<readonly [number, number]>();
  const keep = redact.keep ?? [];
  const regions = redact.regions ?? [];
  useEffect(() => {
    const timer = setInterval(() => {
      if (video.current !== null) setAtMs(found.startMs + (video.current.currentTime - startOf(video.current)) * 1000);
    }, 100);
    return () => clearInterval(timer);
  }, [found.startMs]);
  const show = (momentMs: number): void => {
    if (video.current === null) return;
    video.current.pause();
    video.current.currentTime = startOf(video.current) + (momentMs - found.startMs) / 1000;
  };
  const toggle = (id: number, hidden: boolean): void =>
    onChange({ ...redact, fill: 'people', keep: hidden ? keep.filter((kept) => kept !== id) : [...keep, id] });

  const point = (event: PointerEvent): readonly [number, number] => {
    const area = (event.currentTarget as Element).getBoundingClientRect();
    const share = (value: number): number => Math.round(Math.max(0, Math.min(1, value)) * 1000) / 1000;
    return [share((event.clientX - area.left) / area.width), share((event.clientY - area.top) / area.height)];
  };
  const stretch = (event: PointerEvent): RedactedRegion | undefined => {
    if (from === undefined) return undefined;
    const [x, y] = point(event);
    const box = {
      x: Math.min(x, from[0]),
      y: Math.min(y, from[1]),
      w: Math.abs(x - from[0]),
      h: Math.abs(y - from[1]),
    };
    return box.w > 0.01 && box.h > 0.01 ? box : undefined;
  };
  const finish = (event: PointerEvent): void => {
    const region = stretch(event);
    setFrom(undefined);
    setDrawn(undefined);
    if (region !== undefined) onChange({ ...redact, regions: [...regions, region] });
  };
  const here = found.people.flatMap((person) => {
    const place = placeOf(person, atMs);
    return place === undefined ? [] : [{ person, place }];
  });
  return (
    <div class="redact-editor">
      <div class="redact-stage" style={{ aspectRatio: `${found.widthPx} / ${found.heightPx}` }}>
        <video
          ref={video}
          controls
          playsInline
          muted
          preload="auto"
          src={`/api/clips/${clip.clipId}/video`}
          aria-label={`Clip to hide things in: ${clip.cameraName}, ${clockTime(clip.startMs)}`}
        />
        <svg
          viewBox="0 0 1000 1000"
          preserveAspectRatio="none"
          aria-hidden="true"
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            setFrom(point(event));
          }}
          onPointerMove={(event) => setDrawn(stretch(event))}
          onPointerUp={finish}
          onPointerCancel={() => setFrom(undefined)}
        >
          {here.map(({ person, place }) => (
            <rect
              key={person.id}
              class={redact.fill === 'people' && !keep.includes(person.id) ? 'hidden-one' : 'kept-one'}
              x={place.x / 1000}
              y={place.y / 1000}
              width={place.w / 1000}
              height={place.h / 1000}
            />
          ))}
          {[...regions, ...(drawn === undefined ? [] : [drawn])].map((region, i) => (
            <rect
              key={`region-${i}`}
              class="hidden-one"
              x={region.x * 1000}
              y={region.y * 1000}
              width={region.w * 1000}
              height={region.h * 1000}
            />
          ))}
        </svg>
      </div>
      <p class="hint">
        Draw over the picture to hide a part of it. Boxes show roughly who was found; more around them is filled.
      </p>
      {found.noModel !== undefined && (
        <p class="warning">People can’t be found on this device now: hide what moves, or draw over the picture.</p>
      )}
      {found.people.length > 0 && (
        <ul class="redact-list">
          {found.people.map((person) => (
            <li key={person.id}>
              <label class="tick">
                <input
                  type="checkbox"
                  checked={redact.fill !== 'none' && !keep.includes(person.id)}
                  disabled={redact.fill === 'moving'}
                  onChange={(event) => toggle(person.id, event.currentTarget.checked)}
                />
                Hide person {person.id}
              </label>
              <button type="button" onClick={() => show((person.fromMs + person.toMs) / 2)}>
                Show person {person.id}, {clockTime(person.fromMs)} to {clockTime(person.toMs)}
              </button>
            </li>
          ))}
        </ul>
      )}
      {found.people.length === 0 && found.noModel === undefined && <p>Nobody was found in this clip.</p>}
      {found.unsure.length > 0 && (
        <div>
          <p>Look at these moments yourself: something moves, and nobody or somebody doubtful was found.</p>
          <p class="redact-moments">
            {found.unsure.slice(0, 20).map((span) => (
              <button key={span.fromMs} type="button" onClick={() => show((span.fromMs + span.toMs) / 2)}>
                {clockTime(span.fromMs)} to {clockTime(span.toMs)}
              </button>
            ))}
          </p>
        </div>
      )}
      <RedactRegions regions={regions} onChange={(next) => onChange({ ...redact, regions: next })} />
    </div>
  );
}

/** Recordings don't begin at zero. */
function startOf(video: HTMLVideoElement): number {
  return video.seekable.length > 0 ? video.seekable.start(0) : 0;
}
