/** The area and the house, drawn here and now: no map is fetched, because that would tell somebody where we looked. */
import type { JSX } from 'preact';
import type { RequestDetail } from '../owner/service.ts';
import { areaShape, scaleBarM } from './area.ts';
import { distance } from './words.ts';

export function AreaMap(props: {
  readonly area: RequestDetail['area'];
  readonly placeE6: RequestDetail['placeE6'];
}): JSX.Element {
  const { outline, place, inside, distanceM, halfM } = areaShape(props.area, props.placeE6);
  /** Metres per unit of a picture of 200 by 200. */
  const unit = halfM / 100;
  const x = place.x / unit;
  const y = place.y / unit;
  const barM = scaleBarM(halfM);
  const words = `Your home is ${inside ? 'inside' : 'outside'} the area, ${distance(distanceM)} from its middle.`;
  return (
    <figure class="map">
      <svg viewBox="-100 -100 200 200" role="img" aria-label={`Drawing of the area. ${words}`}>
        {outline.kind === 'circle' ? (
          <circle class="area" cx="0" cy="0" r={outline.radiusM / unit} />
        ) : (
          <polygon class="area" points={outline.points.map((p) => `${p.x / unit},${p.y / unit}`).join(' ')} />
        )}
        <path class="house" d={`M${x - 5} ${y + 5}v-6l5 -5l5 5v6z`} />
        <path class="scale" d={`M-92 88v4h${barM / unit}v-4`} />
        <text class="scale-text" x="-92" y="84">
          {distance(barM)}
        </text>
        <path class="north" d="M88 -78l4 -12l4 12z" />
        <text class="scale-text" x="89" y="-68">
          N
        </text>
      </svg>
      <figcaption>
        {words} {outline.kind === 'circle' ? `It is a circle of ${distance(outline.radiusM)} around its middle.` : ''}{' '}
        North is up. Drawn on this device; nothing was looked up.
      </figcaption>
    </figure>
  );
}
