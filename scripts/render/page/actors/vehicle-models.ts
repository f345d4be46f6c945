// The makes of vehicle, as profiles and measures.
export type VehicleKind = 'hatchback' | 'saloon' | 'van';

/** Profiles run along the ground: [ahead, up] in metres from tail to nose and back under the floor. */
export interface Model {
  readonly body: readonly (readonly [number, number])[];
  /** Windows seen from the side, from the waist line up to just below the roof. */
  readonly cabin: readonly (readonly [number, number])[];
  /** Pillars across the windows, as [ahead at the waist, ahead at the roof]. */
  readonly pillars: readonly (readonly [number, number])[];
  readonly widthM: number;
  readonly axles: readonly [number, number];
  readonly wheelM: number;
  readonly lampY: number;
  readonly tones: readonly string[];
}

export const MODELS: Readonly<Record<VehicleKind, Model>> = {
  hatchback: {
    body: [
      [-1.98, 0.3],
      [-2.02, 0.72],
      [-1.94, 0.98],
      [-1.2, 1.0],
      [0.75, 0.96],
      [1.55, 0.86],
      [1.95, 0.7],
      [2, 0.45],
      [1.92, 0.27],
    ],
    cabin: [
      [-1.9, 0.96],
      [-1.62, 1.36],
      [-1.2, 1.46],
      [0, 1.5],
      [0.45, 1.42],
      [1.1, 0.94],
    ],
    pillars: [
      [-1.9, -1.6],
      [-0.95, -0.85],
      [0.05, 0.1],
      [1.08, 0.45],
    ],
    widthM: 1.74,
    axles: [-1.25, 1.28],
    wheelM: 0.31,
    lampY: 0.68,
    tones: ['#8d9499', '#7c1f1c', '#24364f', '#c9c7c2', '#3b3f45'],
  },
  saloon: {
    body: [
      [-2.3, 0.32],
      [-2.35, 0.8],
      [-2.2, 0.98],
      [-1.5, 1.02],
      [0.6, 0.97],
      [1.7, 0.86],
      [2.2, 0.68],
      [2.28, 0.45],
      [2.2, 0.28],
    ],
    cabin: [
      [-1.7, 0.99],
      [-1.05, 1.36],
      [-0.6, 1.43],
      [0.15, 1.42],
      [1.05, 0.95],
    ],
    pillars: [
      [-1.68, -1.05],
      [-0.75, -0.6],
      [0.1, 0.1],
      [1.03, 0.2],
    ],
    widthM: 1.82,
    axles: [-1.4, 1.42],
    wheelM: 0.32,
    lampY: 0.67,
    tones: ['#2a2d31', '#9aa0a4', '#1f3a5a', '#e0dfda', '#4a2326'],
  },
  van: {
    body: [
      [-2.65, 0.35],
      [-2.68, 1.2],
      [-2.62, 2.28],
      [-2.4, 2.38],
      [0.9, 2.36],
      [1.35, 2.2],
      [2.05, 1.32],
      [2.6, 1.05],
      [2.68, 0.6],
      [2.6, 0.32],
    ],
    cabin: [
      [0.35, 1.28],
      [0.35, 1.98],
      [1.3, 1.98],
      [1.95, 1.3],
    ],
    pillars: [
      [0.35, 0.35],
      [1.92, 1.3],
    ],
    widthM: 1.98,
    axles: [-1.75, 1.8],
    wheelM: 0.34,
    lampY: 0.86,
    tones: ['#e6e5e0', '#c9b23a', '#2f4a6b', '#7a2f2a'],
  },
};
