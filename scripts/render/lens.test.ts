import { assert, constantFrom, double, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { angleOf, type LensSpec, radiusOf, toDirection, toPixels } from './page/lens.ts';

const lenses = tuple(
  double({ min: 80, max: 160, noNaN: true }),
  double({ min: 0.2, max: 0.5, noNaN: true }),
  constantFrom(160, 640, 1920),
).map(([fieldDeg, bend, widthPx]): LensSpec => ({ fieldDeg, bend, widthPx, heightPx: (widthPx * 9) / 16 }));

test('a pixel looks along a direction that is drawn at that pixel', () => {
  assert(
    property(
      lenses,
      double({ min: 0, max: 1, noNaN: true }),
      double({ min: 0, max: 1, noNaN: true }),
      double({ min: 0.1, max: 50, noNaN: true }),
      (lens, u, v, far) => {
        const [x, y] = [u * lens.widthPx, v * lens.heightPx];
        const d = toDirection(lens, x, y);
        expect(Math.hypot(...d)).toBeCloseTo(1, 9);
        const back = toPixels(lens, d[0] * far, d[1] * far, d[2] * far);
        // Corners of the widest lenses look further back than is ever drawn.
        if (back === undefined) {
          expect(Math.acos(-d[2])).toBeGreaterThan(1.9);
          return;
        }
        expect(back[0]).toBeCloseTo(x, 4);
        expect(back[1]).toBeCloseTo(y, 4);
      },
    ),
  );
});

test('radius and angle are inverse, grow together, and the edge of the picture is half the field of view', () => {
  assert(
    property(lenses, double({ min: 0, max: 1.5, noNaN: true }), (lens, angle) => {
      expect(angleOf(lens, radiusOf(lens, angle))).toBeCloseTo(angle, 9);
      expect(radiusOf(lens, angle + 0.01)).toBeGreaterThan(radiusOf(lens, angle));
      expect(radiusOf(lens, (lens.fieldDeg * Math.PI) / 360)).toBeCloseTo(1, 9);
    }),
  );
});

test('what lies behind the camera is not drawn', () => {
  expect(toPixels({ fieldDeg: 120, bend: 0.4, widthPx: 640, heightPx: 360 }, 0.1, 0, 1)).toBeUndefined();
});
