// People in Node, without a picture: what they are made of, and how they move.
import { Vector3 } from 'three';
import { describe, expect, it } from 'vitest';
import type { Beat, PersonAction, Placement } from './actor.ts';
import { seedRandom } from './field.ts';
import { PARCEL_AHEAD_M, PARCEL_HANDOVER_SEC, SEAT_M } from './handover.ts';
import type { Person } from './person.ts';
import { createPerson } from './person.ts';
import type { PersonSpec } from './person-spec.ts';

const AGES = ['child5', 'child9', 'teen', 'adult', 'elderly'] as const;
const person = (spec: PersonSpec = {}, seed = 5): Person => createPerson({ ...spec }, seedRandom(seed));

const at = (more: Partial<Placement<PersonAction>> = {}): Placement<PersonAction> => ({
  xM: 0,
  zM: 0,
  headingRad: 0,
  walkedM: 0,
  tSec: 0,
  beats: [{ fromSec: 0, action: 'stand' }],
  ...more,
});

function place(p: Person, bone: string): Vector3 {
  const found = p.object.getObjectByName(bone);
  if (!found) throw new Error(`Cannot find ${bone}`);
  return found.getWorldPosition(new Vector3());
}

function bounds(points: Float32Array): { low: Vector3; high: Vector3 } {
  const low = new Vector3(Infinity, Infinity, Infinity);
  const high = low.clone().negate();
  for (let i = 0; i < points.length; i += 3) {
    const v = new Vector3().fromArray(points, i);
    low.min(v);
    high.max(v);
  }
  return { low, high };
}

function farthest(a: Float32Array, b: Float32Array): number {
  let most = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i += 3) {
    most = Math.max(most, new Vector3().fromArray(a, i).distanceTo(new Vector3().fromArray(b, i)));
  }
  return most;
}

describe('createPerson', () => {
  it('makes the same vertices from the same seed, others from another', () => {
    const points = (seed: number): Float32Array => {
      const p = person({}, seed);
      p.pose(at());
      return p.samplePoints();
    };
    expect(points(3)).toEqual(points(3));
    expect(points(3)).not.toEqual(points(4));
  });

  it.each(AGES)('keeps a %s within the budget of triangles and to the height asked for', (age) => {
    for (let seed = 1; seed < 4; seed++) {
      const p = person({ age, headwear: 'none' }, seed);
      expect(p.triangles).toBeLessThan(9500);
      p.pose(at());
      const { low, high } = bounds(p.samplePoints());
      expect(low.y).toBeGreaterThan(-0.02);
      expect(low.y).toBeLessThan(0.03);
      // Who stoops is shorter than tall.
      expect(high.y / p.heightM).toBeGreaterThan(0.88);
      expect(high.y / p.heightM).toBeLessThan(1.06);
      p.dispose();
    }
  });

  it('lifts the greys of cloth in near infrared and changes them back', () => {
    const p = person({ topTone: '#101014', bottomTone: '#101014' });
    const mean = (): number => {
      let sum = 0;
      let count = 0;
      p.object.traverse((part) => {
        if (!('isSkinnedMesh' in part) || !('geometry' in part)) return;
        const colours = (part.geometry as { getAttribute(name: string): { array: Float32Array } }).getAttribute(
          'color',
        ).array;
        for (const c of colours) sum += c;
        count += colours.length;
      });
      return sum / count;
    };
    const day = mean();
    p.setLight('ir');
    expect(mean()).toBeGreaterThan(day + 0.05);
    p.setLight('day');
    expect(mean()).toBe(day);
  });
});

describe('movement', () => {
  it.each(['adult', 'child5', 'elderly'] as const)('keeps the foot of a walking %s where it stands', (age) => {
    const p = person({ age });
    for (const side of ['L', 'R'] as const) {
      let stood: Vector3 | null = null;
      let longest = 0;
      let slid = 0;
      for (let way = 0; way < 2 * p.strideM; way += 0.01) {
        p.pose(at({ zM: way, walkedM: way, tSec: way, beats: [{ fromSec: -9, action: 'walk' }] }));
        const ball = place(p, `toe${side}`);
        const rest = 0.03 * (p.heightM / 1.75) + 0.004;
        if (ball.y > rest) stood = null;
        else if (stood === null) stood = ball;
        else {
          slid = Math.max(slid, Math.hypot(ball.x - stood.x, ball.z - stood.z));
          longest++;
        }
      }
      expect(longest).toBeGreaterThan(40);
      expect(slid).toBeLessThan(0.02);
    }
  });

  it('never walks or runs into the ground', () => {
    const p = person({ age: 'adult', cane: false });
    for (const action of ['walk', 'run'] as const) {
      for (let way = 0; way < 2.4; way += 0.05) {
        p.pose(at({ walkedM: way, beats: [{ fromSec: -9, action }] }));
        expect(bounds(p.samplePoints()).low.y).toBeGreaterThan(-0.035);
      }
    }
  });

  const day: readonly Beat<PersonAction>[] = [
    { fromSec: 0, action: 'walk', holds: 'umbrella' },
    { fromSec: 1, action: 'walk' },
    { fromSec: 2, action: 'stand' },
    { fromSec: 3, action: 'press' },
    { fromSec: 5, action: 'knock' },
    { fromSec: 7, action: 'wave' },
    { fromSec: 9, action: 'look' },
    { fromSec: 11, action: 'pickUp' },
    { fromSec: 13.6, action: 'walk', holds: 'parcel' },
    { fromSec: 15, action: 'putDown' },
    { fromSec: 18, action: 'crouch' },
    { fromSec: 20, action: 'sit' },
    { fromSec: 23, action: 'stand', holds: 'pram' },
    { fromSec: 25, action: 'run' },
  ];

  it('moves without jumps through every action', () => {
    const p = person({ age: 'adult', cane: false, backpack: null });
    let before: Float32Array | null = null;
    for (let t = 0; t < 26; t += 1 / 60) {
      const walkedM = 1.2 * Math.min(t, 2);
      p.pose(at({ walkedM, tSec: t, beats: day }));
      // Held things come and go; the body is what must not jump.
      const points = p.samplePoints().slice(0, 1500);
      if (before) expect(farthest(points, before)).toBeLessThan(0.11);
      before = points;
    }
  });

  it('poses any frame alone', () => {
    const [one, other] = [person(), person()];
    one.pose(at({ tSec: 21.3, walkedM: 2, beats: day }));
    for (const tSec of [1, 14, 3.2, 21.3]) other.pose(at({ tSec, walkedM: 2, beats: day }));
    expect(other.samplePoints()).toEqual(one.samplePoints());
  });

  it('moves no more than three centimetres in a minute of standing still', () => {
    const p = person({ age: 'adult' });
    p.pose(at({ tSec: 0 }));
    const first = p.samplePoints();
    for (let tSec = 0; tSec < 60; tSec += 0.5) {
      p.pose(at({ tSec }));
      expect(farthest(p.samplePoints(), first)).toBeLessThan(0.03);
    }
  });

  it('brings the finger to the bell', () => {
    const p = person({ age: 'adult' });
    const bell = { xM: 1.1, yM: 1.25, zM: 2.5 };
    p.pose(at({ xM: 1, zM: 3, headingRad: Math.PI, tSec: 2, beats: [{ fromSec: 0, action: 'press', reach: bell }] }));
    const wrist = place(p, 'handR');
    expect(wrist.distanceTo(new Vector3(bell.xM, bell.yM, bell.zM))).toBeLessThan(0.22);
  });

  it('sits on the step and leaves the parcel where the scene expects it', () => {
    const p = person({ age: 'adult' });
    p.pose(at({ tSec: 5, beats: [{ fromSec: 0, action: 'sit' }] }));
    expect(place(p, 'thighL').y).toBeCloseTo(SEAT_M + 0.08, 1);
    const beats: readonly Beat<PersonAction>[] = [
      { fromSec: 0, action: 'walk', holds: 'parcel' },
      { fromSec: 1, action: 'putDown' },
    ];
    const parcels = (tSec: number): Vector3[] => {
      p.pose(at({ tSec, beats }));
      return p.object.children
        .filter((part) => part.visible && !('isSkinnedMesh' in part) && part.position.z > 0.3)
        .map((part) => part.position.clone());
    };
    expect(parcels(0.5)).toHaveLength(1);
    const [left] = parcels(1 + PARCEL_HANDOVER_SEC - 0.01);
    expect(left?.distanceTo(new Vector3(0, 0, PARCEL_AHEAD_M))).toBeLessThan(0.01);
    expect(parcels(1 + PARCEL_HANDOVER_SEC + 0.01)).toHaveLength(0);
  });
});
