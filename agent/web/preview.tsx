/** The exact bytes that would be sent, to be watched, and everything that would be signed about them. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Preview } from '../owner/service.ts';
import { Fact, Theirs } from './form.tsx';
import { clockTime, dateTime, day, size } from './words.ts';

const kinds = {
  original: 'as recorded; provably unaltered',
  derived: 'changed as you chose; your word, not proof',
} as const;

export function PreviewPanel({ preview }: { readonly preview: Preview }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [preview.previewId]);
  return (
    <section class="card" aria-labelledby="preview-heading">
      <h2 id="preview-heading" ref={heading} tabIndex={-1}>
        Exactly this would be sent
      </h2>
      <ul class="media">
        {preview.media.map((media) => (
          <li key={media.name}>
            <video
              controls
              playsInline
              preload="metadata"
              src={`/api/previews/${preview.previewId}/${media.name}`}
              aria-label={`What would be sent: ${clockTime(media.fromMs)} to ${clockTime(media.toMs)}`}
            />
            <span>
              {day(media.fromMs)}, {clockTime(media.fromMs)} to {clockTime(media.toMs)}
            </span>
            <span class="hint">
              <code>{media.name}</code>, {size(media.bytes)}, {kinds[media.kind]}
            </span>
          </li>
        ))}
      </ul>
      <dl>
        <Fact name="To">
          <Theirs text={preview.agencyName} /> alone can open it
        </Fact>
        <Fact name="Its key">
          <code>{preview.recipientKeyId}</code>
        </Fact>
        <Fact name="Sent to">
          <code class="long">{preview.endpoint}</code>
        </Fact>
        <Fact name="Sealed size">{size(preview.shareBytes)}, padded so that the size says little</Fact>
        <Fact name="Leaves at the earliest">{dateTime(preview.releaseNotBeforeMs)}</Fact>
        <Fact name="Arrives at the latest">{dateTime(preview.latestArrivalMs)}</Fact>
        <Fact name="One device">
          {preview.lineageDisclosed
            ? 'Proved: the agency can link your shares of this month'
            : 'Not proved: your shares can’t be linked by their keys'}
        </Fact>
        <Fact name="Not sent">Your name, address and the camera’s identity, unless the picture shows them</Fact>
        <Fact name="Seal of this preview">
          <code class="long">{preview.previewId}</code>
        </Fact>
      </dl>
    </section>
  );
}
