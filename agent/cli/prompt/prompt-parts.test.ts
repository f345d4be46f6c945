import { array, check, constantFrom, integer, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClipSummary, Preview, RequestDetail } from '../../owner/service.ts';
import { banner } from '../request-text.ts';
import { clean, cutToWidth, displayWidth, labelled, localTime, wrap } from '../terminal-text.ts';
import { type Key, KeyReader } from './keys.ts';
import { arrive, type ClipsScreen, firstState, type PromptState, press, trim, trimStepMs } from './model.ts';
import { render } from './views.ts';

function holds(result: { failed: boolean; counterexample: unknown }): void {
  expect(result.failed ? result.counterexample : undefined).toBeUndefined();
}

describe('keys', () => {
  const reading = (...pieces: readonly string[]): Key[] => {
    const reader = new KeyReader();
    return [...pieces.flatMap((piece) => reader.feed(piece)), ...reader.flush()];
  };

  it('are told from text, also when an arrow comes in pieces over a slow line', () => {
    expect(reading('a\u001b[B\r')).toEqual([{ character: 'a' }, 'down', 'enter']);
    expect(reading('\u001b', '[', 'A')).toEqual(['up']);
    expect(reading('\u001bOA\u001b[5~\u007f\u0015\u0003')).toEqual([
      'up',
      'page-up',
      'backspace',
      'clear',
      'interrupt',
    ]);
  });

  it('know Escape alone, and drop what they do not know with all its letters', () => {
    expect(reading('\u001b')).toEqual(['escape']);
    expect(reading('\u001bd')).toEqual(['escape', { character: 'd' }]);
    expect(reading('\u001b[24;5~\u001b[1;5D\u001b[?1;2c')).toEqual([]);
    expect(reading('\u001b[200')).toEqual(['escape']);
    expect(reading('\u0007\u0000\u200b')).toEqual([]);
  });
});

describe('text of others', () => {
  it('can neither steer the terminal nor turn the reading direction nor paint over other lines', () => {
    const text = clean('a\u001b[2Jb\u202ec\u200bd\u0085e\r\nf\u2028g' + 'e\u0301'.concat('\u0302'.repeat(50)));
    expect(text).toBe('a\ufffd[2Jb\ufffdc\ufffdd\ufffde f\ufffdge\u0301\u0302');
    holds(check(property(string({ unit: 'binary' }), (any) => !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(clean(any)))));
  });

  it('is wrapped without losing anything and never wider than the window', () => {
    const texts = string({ unit: 'grapheme' });
    holds(
      check(
        property(texts, integer({ min: 2, max: 60 }), (any, columns) => {
          const lines = wrap(clean(any), columns);
          const same = lines.join('').replaceAll(' ', '') === clean(any).replaceAll(' ', '');
          return same && lines.every((line) => displayWidth(line) <= columns);
        }),
      ),
    );
    expect(displayWidth('日本e\u0301')).toBe(5);
    expect(cutToWidth('日本', 3)).toBe('日');
  });

  it('cannot begin a line where a label stands, however wide it is drawn and whatever it is padded with', () => {
    const forged = 'Agency        The City';
    for (const filler of ['x', ' ', '\u3000', '\u00a0', '\u{1f1e6}', '\u{17000}', '\ua960', '\u{1d300}'])
      for (let count = 40; count < 80; count += 1) {
        const rows = labelled([['They say', clean(filler.repeat(count) + forged)], ['State', 'open']], 80); // biome-ignore format: rows
        expect(rows.filter((row) => !/^(They say| {8}|State)/.test(row))).toEqual([]);
        expect(rows.every((row) => displayWidth(row) <= 80)).toBe(true);
      }
    // As terminals draw them: two columns each.
    expect(Array.from('\u{1f1e6}\u{17000}\ua960\u{1d300}\ufe10', displayWidth)).toEqual([2, 2, 2, 2, 2]);
  });

  it('shows times with their offset', () => {
    expect(localTime(Number.NaN)).toBe('unknown time');
    expect(localTime(Date.UTC(2026, 10, 21, 20, 0))).toMatch(/^2026-11-2\d \d\d:\d\d:00 [+-]\d\d:\d\d$/);
  });
});

const request: RequestDetail = {
  requestId: 'a'.repeat(32),
  state: 'PENDING',
  agencyName: 'Cedar Falls PD',
  caseNumber: 'CF-1',
  incident: 'Burglary',
  windowFromMs: 10_000,
  windowToMs: 50_000,
  issuedAtMs: 60_000,
  expiresAtMs: 90_000,
  warnings: [],
  related: [],
  statement: 'x'.repeat(1000),
  legalAuthority: 'none',
  contact: { name: 'A', badge: '1', phone: '2' },
  area: { kind: 'circle', latE6: 1, lonE6: 1, radiusM: 200 },
  placeE6: { latE6: 1, lonE6: 1 },
  terms: { deleteByDays: 90, outcomeDueDays: 60, thirdParty: 'none', biometricId: false },
  asksForSound: false,
  signers: { officerKeyId: '1', approverKeyId: '2' },
};
const clip: ClipSummary = {
  clipId: 'c1',
  cameraId: 'front',
  cameraName: 'Front',
  startMs: 5000,
  endMs: 30_000,
  labels: ['person'],
  bytes: 1000,
  cut: false,
  pinned: false,
};

const preview: Preview = {
  previewId: 'e'.repeat(64),
  media: [],
  shareBytes: 1,
  lineageDisclosed: false,
  agencyName: 'Cedar Falls PD',
  recipientKeyId: '1',
  endpoint: 'https://x/',
  releaseNotBeforeMs: 1,
  latestArrivalMs: 2,
};

function clipsState(): PromptState {
  const ready = arrive(firstState('https://x/'), { kind: 'inbox', requests: [request], lock: 'deciding' });
  return arrive(ready, { kind: 'clips', request, clips: [clip] });
}

describe('the model', () => {
  it('chooses nothing by itself, and a chosen clip only as far as the window reaches', () => {
    const before = clipsState();
    expect(before.screen).toMatchObject({ chosen: new Map() });
    const { state } = press(before, { character: ' ' });
    expect(state.screen).toMatchObject({
      chosen: new Map([['c1', { clipId: 'c1', fromMs: 10_000, toMs: 30_000 }]]),
    });
    expect(press(state, { character: ' ' }).state.screen).toMatchObject({ chosen: new Map() });
  });

  it('sends no sound and proves no device unless chosen, and no sound that is not asked for', () => {
    const quiet = clipsState();
    expect(quiet.screen).toMatchObject({ sound: false, discloseLineage: false });
    const refused = press(quiet, { character: 's' }).state;
    expect([refused.screen, refused.message]).toEqual([
      quiet.screen,
      expect.stringContaining('does not ask for sound'),
    ]);
    expect(render(quiet, { columns: 100, rows: 24 }).some(({ text }) => text.includes(' s  the sound'))).toBe(false);
    const asked = arrive(quiet, { kind: 'clips', request: { ...request, asksForSound: true }, clips: [clip] });
    const both = ['s', 'o'].reduce((state, character) => press(state, { character }).state, asked);
    expect(both.screen).toMatchObject({ sound: true, discloseLineage: true });
    const shown = render(both, { columns: 100, rows: 24 }).map(({ text }) => text.trim());
    expect(shown).toContain('[x] s  the sound, which the request asks for');
    expect(shown).toContain('[x] o  proof of one device: the agency can link your shares of this month');
    expect(['s', 'o'].reduce((state, character) => press(state, { character }).state, both)).toEqual(asked);
  });

  it('hides nobody, everybody or all that moves, and says that it takes a while and may miss somebody', () => {
    const plain = press(clipsState(), { character: ' ' }).state;
    const after = (count: number): PromptState =>
      Array.from({ length: count }).reduce<PromptState>((state) => press(state, { character: 'h' }).state, plain);
    expect([0, 1, 2, 3].map((count) => (after(count).screen as { hide?: string }).hide)).toEqual(['none', 'people', 'moving', 'none']); // biome-ignore format: a list
    for (const count of [0, 1, 2]) {
      const shown = render(after(count), { columns: 60, rows: 20 }).map(({ text }) => text.trim());
      expect(
        shown.filter((text) => /^\[[ x]\] h {2}.*(nobody|everybody who is found|everything that moves)$/.test(text)),
      ).toHaveLength(1);
    }
    const filling = press(after(1), { character: 'p' });
    expect(filling.effect).toMatchObject({ do: 'preview', from: { hide: 'people' } });
    expect(filling.state.message).toContain('that takes a while');
    const from = after(1).screen as ClipsScreen;
    expect(arrive(filling.state, { kind: 'preview', from, preview }).message).toContain('may have been missed');
    expect(press(plain, { character: 'p' }).state.message).toBe('Working…');
  });

  it('offers and takes no answer where one was given', () => {
    for (const state of ['DECLINED', 'SHARED', 'EXPIRED'] as const) {
      const shown = arrive(firstState('https://x/'), { kind: 'request', request: { ...request, state } });
      expect(render(shown, { columns: 80, rows: 24 }).some(({ text }) => /Choose clips|Decline/.test(text))).toBe(
        false,
      );
      for (const character of ['c', 'd']) expect(press(shown, { character }).state.overlay).toBeUndefined();
    }
  });

  it('trims within the clip and the window, and never to nothing', () => {
    const whole = { clipId: 'c1', fromMs: 10_000, toMs: 30_000 };
    const keys = array(constantFrom('[', ']', '{', '}'), { maxLength: 80 });
    holds(
      check(
        property(keys, (pressed) => {
          const { fromMs, toMs } = pressed.reduce((selection, key) => trim(selection, whole, key), whole);
          return fromMs >= whole.fromMs && toMs <= whole.toMs && toMs - fromMs >= trimStepMs;
        }),
      ),
    );
  });

  it('never approves without a passphrase, whatever is typed', () => {
    const keys = array(
      constantFrom<Key>(
        'enter',
        'escape',
        'up',
        'down',
        'left',
        ...Array.from(' apcdyno[]{}w', (character) => ({ character })),
      ),
      { maxLength: 40 },
    );
    holds(
      check(
        property(keys, (pressed) => {
          let state = clipsState();
          for (const key of pressed) {
            const typed = state.overlay?.typed;
            const step = press(state, key);
            if (step.effect?.do === 'approve' && (typed === undefined || typed.trim() === '')) return false;
            state = step.effect === undefined ? step.state : arrive(step.state, { kind: 'failed', message: '' });
          }
          return true;
        }),
        { numRuns: 500 },
      ),
    );
  });

  it('takes no key but leaving while it works', () => {
    const busy = firstState('https://x/');
    for (const character of ['a', 'd', 'r', 'y']) expect(press(busy, { character })).toEqual({ state: busy });
    expect(press(busy, 'enter')).toEqual({ state: busy });
    expect(press(busy, { character: 'q' }).effect).toEqual({ do: 'quit' });
    expect(press(busy, 'interrupt').effect).toEqual({ do: 'quit' });
  });
});

describe('the picture', () => {
  it('always fills the window exactly, with the banner on top', () => {
    const open = { ...clipsState(), screen: { kind: 'detail', request, scroll: 3 } } as const;
    for (const state of [firstState('https://x/'), clipsState(), open]) {
      for (const [columns, rows] of [[80, 24], [60, 16], [200, 60], [40, 10]] as const) {
        const lines = render(state, { columns, rows });
        expect(lines.length).toBe(rows);
        for (const { text } of lines) expect(displayWidth(text)).toBeLessThanOrEqual(columns);
        const top = lines.slice(0, 2).map(({ text }) => text.trim()).join(' ');
        if (columns >= 60) expect(top).toContain(banner);
      } // biome-ignore format: sizes
    }
  });
});
