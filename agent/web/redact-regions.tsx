/** Hidden parts of the picture as numbers, for whoever doesn't draw with a pointer. */
import type { JSX } from 'preact';
import type { RedactedRegion } from '../owner/service.ts';

const sides = [
  ['x', 'From the left'],
  ['y', 'From the top'],
  ['w', 'Width'],
  ['h', 'Height'],
] as const;

export function RedactRegions(props: {
  readonly regions: readonly RedactedRegion[];
  readonly onChange: (regions: readonly RedactedRegion[]) => void;
}): JSX.Element {
  const { regions, onChange } = props;
  const set = (index: number, region: RedactedRegion): void =>
    onChange(regions.map((old, i) => (i === index ? region : old)));
  return (
    <div>
      {regions.map((region, i) => (
        <fieldset key={`part-${i}`}>
          <legend>Hidden part {i + 1}, in per cent of the picture</legend>
          <p class="redact-numbers">
            {sides.map(([side, label]) => (
              <label key={side}>
                {label}
                <input
                  type="number"
                  min={0}
                  max={100}
                  value={Math.round(region[side] * 100)}
                  onChange={(event) => {
                    const value = Number(event.currentTarget.value) / 100;
                    if (value >= 0 && value <= 1) set(i, { ...region, [side]: value });
                  }}
                />
              </label>
            ))}
            <button type="button" onClick={() => onChange(regions.filter((_, k) => k !== i))}>
              Remove part {i + 1}
            </button>
          </p>
        </fieldset>
      ))}
      <button
        type="button"
        onClick={() => onChange([...regions, { x: 0.35, y: 0.35, w: 0.3, h: 0.3 }])}
        disabled={regions.length >= 64}
      >
        Hide another part of the picture
      </button>
    </div>
  );
}
