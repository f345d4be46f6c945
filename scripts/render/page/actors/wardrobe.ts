// Fills in what a spec leaves open, and turns it into layers.
import type { Random } from './actor.ts';
import { makeArms, makeLegs, makeShoe, makeSkirt, makeTrousers } from './bottoms.ts';
import { lerp } from './field.ts';
import { makeBackpack, makeHair, makeHeadwear } from './hair.ts';
import { makeHand, makeHead } from './head.ts';
import type { Layer } from './layer.ts';
import { rgb } from './layer.ts';
import type { Age, Build, PersonSpec } from './person-spec.ts';
import { SIDES } from './skeleton.ts';
import { makeHood, makeTop } from './tops.ts';

/** A spec with nothing left open, except the height, which the body draws. */
export type FullSpec = Required<Omit<PersonSpec, 'heightM'>>;

const pick = <T>(random: Random, from: readonly [T, ...T[]]): T => from[Math.floor(random() * from.length)] ?? from[0];

const SKIN = ['#e3b594', '#d6a17c', '#c58c66', '#a86f4a', '#84543a', '#5f3c2a'] as const;
const HAIR = ['#1a1310', '#2b1d14', '#4a3020', '#7a5a34', '#a5814c', '#5c2f1c'] as const;
const GREY_HAIR = ['#9a9894', '#c9c6c0', '#77746f'] as const;
const TOP = [
  '#2f4a6b',
  '#8a3b2c',
  '#55603f',
  '#33363c',
  '#6d2f45',
  '#b08a4c',
  '#3f6b63',
  '#7f8790',
  '#c9c2b2',
  '#1f2733',
] as const;
const BOTTOM = ['#2b2f38', '#3d4a63', '#6b6355', '#23262b', '#4d4238', '#585e68'] as const;
const SHOES = ['#e0ddd6', '#2a2220', '#5a4030', '#24282e', '#8a8f96'] as const;
const SUIT = ['#23262d', '#2b3140', '#3c3f44', '#4a4440', '#1b1c20'] as const;
const LOUD = ['#c23b2e', '#2f73c2', '#e0b62c', '#2f9a5a', '#d96a2b', '#7a4bb0'] as const;

/** Draws in a fixed order whatever is given, so that one more given trait changes no other. */
export function fillSpec(spec: PersonSpec, random: Random): FullSpec {
  const age: Age = spec.age ?? pick(random, ['adult', 'adult', 'adult', 'teen', 'elderly', 'child9', 'child5']);
  const child = age === 'child5' || age === 'child9';
  const old = age === 'elderly';
  const chance = { build: random(), beard: random(), pack: random(), skirt: random() };
  const build: Build = chance.build < 0.25 ? 'slim' : chance.build > (child ? 0.97 : 0.75) ? 'stout' : 'average';
  const drawn = {
    skinTone: pick(random, SKIN),
    hair: pick(random, ['short', 'short', 'long', 'bun', 'bald'] as const),
    hairTone: old ? pick(random, GREY_HAIR) : pick(random, HAIR),
    headwear: pick(random, ['none', 'none', 'none', 'beanie', 'cap', 'hat'] as const),
    headwearTone: pick(random, BOTTOM),
    top: pick(random, ['jacket', 'jacket', 'coat', 'shirt', 'suit', 'raincoat'] as const),
    topTone: pick(random, child ? LOUD : TOP),
    suitTone: pick(random, SUIT),
    pattern: pick(random, ['plain', 'plain', 'plain', 'block', 'stripes', 'check'] as const),
    patternTone: pick(random, ['#d8d4ca', '#2a2d33', '#a03a30', '#4a6a8a'] as const),
    bottomTone: pick(random, BOTTOM),
    shoeTone: pick(random, SHOES),
    packTone: pick(random, LOUD),
    umbrellaTone: pick(random, ['#23262b', '#7a2f3a', '#2f4a6b', '#c23b2e', '#d8d4ca', '#3f6b63'] as const),
  };
  const hair = spec.hair ?? (drawn.hair === 'bald' && (child || age === 'teen') ? 'short' : drawn.hair);
  const top = spec.top ?? (child && drawn.top === 'suit' ? 'jacket' : drawn.top);
  const manly = hair === 'short' || hair === 'bald';
  const suited = top === 'suit' || top === 'hiVis';
  const topTone = spec.topTone ?? (top === 'suit' ? drawn.suitTone : drawn.topTone);
  return {
    age,
    build: spec.build ?? build,
    skinTone: spec.skinTone ?? drawn.skinTone,
    hair,
    hairTone: spec.hairTone ?? drawn.hairTone,
    beard: spec.beard ?? (manly && (age === 'adult' || old) && chance.beard < 0.35),
    headwear: spec.headwear ?? (drawn.headwear === 'hat' && !old && top !== 'coat' ? 'none' : drawn.headwear),
    headwearTone: spec.headwearTone ?? drawn.headwearTone,
    top,
    topTone,
    pattern: spec.pattern ?? (top === 'suit' || top === 'hiVis' || top === 'raincoat' ? 'plain' : drawn.pattern),
    patternTone: spec.patternTone ?? drawn.patternTone,
    bottom:
      spec.bottom ??
      (!manly && !suited && chance.skirt < 0.4 ? 'skirt' : child && chance.skirt > 0.8 ? 'shorts' : 'trousers'),
    // A suit is of one cloth.
    bottomTone: spec.bottomTone ?? (top === 'suit' ? topTone : drawn.bottomTone),
    shoeTone: spec.shoeTone ?? drawn.shoeTone,
    backpack:
      spec.backpack === undefined
        ? chance.pack < (child ? 0.5 : 0.2) && top !== 'suit'
          ? drawn.packTone
          : null
        : spec.backpack,
    cane: spec.cane ?? (old && chance.pack > 0.6),
    umbrellaTone: spec.umbrellaTone ?? drawn.umbrellaTone,
    detail: spec.detail ?? 1,
  };
}

export function dress(spec: FullSpec, random: Random): Layer[] {
  const seed = 1 + Math.floor(random() * 900);
  const ir = (): number => lerp(0.28, 0.5, random());
  const skin = rgb(spec.skinTone);
  const hairTone = rgb(spec.hairTone);
  const isDress = spec.bottom === 'dress';
  const shortSleeves = spec.top === 'shirt' && random() < 0.5;
  const cut = {
    kind: isDress ? 'shirt' : spec.top,
    tone: spec.topTone,
    pattern: spec.pattern,
    patternTone: spec.patternTone,
    shortSleeves,
    straps: spec.backpack,
    seed,
    irRatio: ir(),
  } as const;
  const layers: Layer[] = [makeHead(skin, hairTone, spec.beard), ...makeTop(cut)];
  for (const side of SIDES) layers.push(makeHand(side, skin), makeShoe(side, spec.shoeTone));
  if (shortSleeves) layers.push(makeArms(skin));
  const bottomIr = ir();
  const underCoat = cut.kind === 'coat' || cut.kind === 'raincoat';
  const hem = lerp(0.42, underCoat ? 0.52 : 0.62, random());
  if (spec.bottom === 'trousers') layers.push(makeTrousers(spec.bottomTone, 0.062, seed, bottomIr));
  if (spec.bottom === 'shorts') layers.push(makeTrousers(spec.bottomTone, 0.54, seed, bottomIr), makeLegs(skin, true));
  if (spec.bottom === 'skirt' || isDress) {
    const bare = random() < 0.5;
    layers.push(
      makeSkirt(
        isDress ? spec.topTone : spec.bottomTone,
        hem,
        isDress ? 0.07 : underCoat ? -0.03 : 0.03,
        seed,
        isDress ? cut.irRatio : bottomIr,
      ),
      makeLegs(bare ? skin : rgb('#26262b'), bare),
    );
  }
  const hooded = spec.headwear === 'hood';
  const hair = hooded && spec.hair !== 'long' ? null : makeHair(spec.hair, hairTone, seed);
  if (hair) layers.push(hair);
  const headwear = hooded ? makeHood(cut) : makeHeadwear(spec.headwear, spec.headwearTone, ir());
  if (headwear) layers.push(headwear);
  if (spec.backpack !== null) layers.push(makeBackpack(spec.backpack, 0.75 * ir()));
  return layers;
}
