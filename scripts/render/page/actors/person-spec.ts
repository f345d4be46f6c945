// What a person looks like. Whatever a spec leaves out is drawn from the random source.
export type Age = 'child5' | 'child9' | 'teen' | 'adult' | 'elderly';
export type Build = 'slim' | 'average' | 'stout';
export type HairStyle = 'short' | 'long' | 'bun' | 'bald';
export type Headwear = 'none' | 'hat' | 'beanie' | 'cap' | 'hood';
export type TopKind = 'jacket' | 'coat' | 'raincoat' | 'suit' | 'shirt' | 'hiVis';
export type BottomKind = 'trousers' | 'shorts' | 'skirt' | 'dress';
export type Pattern = 'plain' | 'stripes' | 'check' | 'block';

/** Tones are CSS colours as seen by day. */
export interface PersonSpec {
  readonly age?: Age;
  readonly build?: Build;
  readonly heightM?: number;
  readonly skinTone?: string;
  readonly hair?: HairStyle;
  readonly hairTone?: string;
  readonly beard?: boolean;
  readonly headwear?: Headwear;
  readonly headwearTone?: string;
  readonly top?: TopKind;
  readonly topTone?: string;
  readonly pattern?: Pattern;
  readonly patternTone?: string;
  readonly bottom?: BottomKind;
  readonly bottomTone?: string;
  readonly shoeTone?: string;
  /** Tone of a backpack, or none. */
  readonly backpack?: string | null;
  /** Walks with a cane in the right hand, stooping. */
  readonly cane?: boolean;
  readonly umbrellaTone?: string;
  /** Fineness of the mesh: 1 for pictures of 640x360, 1.5 for close views at 1080 lines. Default 1. */
  readonly detail?: number;
}
