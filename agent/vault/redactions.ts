/** The redactions of one session: clips that were looked through, and what was made of them. All of it ends with the vault. */
import { randomUUID } from 'node:crypto';
import { AgentError } from '../base/errors.ts';
import { findFfmpeg } from '../base/ffmpeg.ts';
import { findVideoEncoder, type VideoEncoder } from '../base/video-encoder.ts';
import { maxClips } from '../protocol/share-names.ts';
import type { PersonModel } from '../recorder/person/model.ts';
import type { Span } from './content.ts';
import type { ClipLibrary } from './library.ts';
import { type Analysis, analyse, describePictures } from './redact/analysis.ts';
import type { RedactionChoice } from './redact/choice.ts';
import { coverPictures } from './redact/cover.ts';
import { type ClipPictures, readPictures } from './redact/pictures.ts';
import { type Redacted, redactClip } from './redact/redact.ts';
import { type ClipAnalysisReport, describeAnalysis } from './redact/report.ts';

export interface KeptRedaction extends Redacted {
  readonly clipId: string;
  readonly choice: RedactionChoice;
}

export interface RedactionReport {
  readonly redactionId: string;
  /** Recorded fragments that stay as they are, and all in the span. */
  readonly untouchedCount: number;
  readonly fragmentCount: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Mean share of the picture that is filled, in millionths, and that of the fullest picture. */
  readonly filledE6: number;
  readonly mostFilledE6: number;
}

interface Looked {
  readonly pictures: ClipPictures;
  readonly analysis: Analysis;
  readonly startMs: number;
}

/** One clip's analysis holds some 10 MB, one redaction the video. */
const maxLooked = 2;
/** Every clip of the largest share. */
const maxRedactions = maxClips;
const maxRedactedBytes = 512 * 1024 * 1024;

export interface RedactionTools {
  /** Undefined: the one that is found. */
  readonly ffmpegPath?: string | undefined;
  /** Undefined: the embedded one. */
  readonly model?: PersonModel | undefined;
}

export class Redactions {
  readonly #tools: RedactionTools;
  readonly #looked = new Map<string, Looked>();
  readonly #made = new Map<string, KeptRedaction>();
  #running = new AbortController();
  /** Of the hardware; undefined where none is known to work. */
  #encoder: Promise<VideoEncoder | undefined> | undefined;

  constructor(tools: RedactionTools = {}) {
    this.#tools = tools;
  }

  get #ffmpegPath(): string {
    return this.#tools.ffmpegPath ?? findFfmpeg();
  }

  /** Ends what runs now with `redact/cancelled`. */
  cancel(): void {
    this.#running.abort(new AgentError('refused', 'redact/cancelled', 'The redaction was cancelled; nothing was kept'));
    this.#running = new AbortController();
  }

  async analyse(library: ClipLibrary, clipId: string): Promise<ClipAnalysisReport> {
    const { analysis, startMs } = await this.#look(library, clipId, this.#running.signal);
    return describeAnalysis(clipId, analysis, startMs);
  }

  async #look(library: ClipLibrary, clipId: string, signal: AbortSignal): Promise<Looked> {
    const known = this.#looked.get(clipId);
    if (known !== undefined) return known;
    const pictures = openPictures(library, clipId);
    const analysis = await analyse({ ffmpegPath: this.#ffmpegPath, pictures, signal, model: this.#tools.model });
    const looked = { pictures, analysis, startMs: pictures.startMs };
    this.#looked.set(clipId, looked);
    for (const id of this.#looked.keys()) if (this.#looked.size > maxLooked) this.#looked.delete(id);
    return looked;
  }

  /** Nobody needs to be looked for where only drawn places are filled. */
  async #glance(library: ClipLibrary, clipId: string, signal: AbortSignal): Promise<Looked> {
    const known = this.#looked.get(clipId);
    if (known !== undefined) return known;
    const pictures = openPictures(library, clipId);
    const analysis = await describePictures({ ffmpegPath: this.#ffmpegPath, pictures, signal });
    return { pictures, analysis, startMs: pictures.startMs };
  }

  async redact(
    library: ClipLibrary,
    params: { readonly clipId: string; readonly span: Span; readonly choice: RedactionChoice },
  ): Promise<RedactionReport> {
    const { clipId, span, choice } = params;
    const { signal } = this.#running;
    const look = choice.fill === 'none' ? this.#glance(library, clipId, signal) : this.#look(library, clipId, signal);
    const { pictures, analysis, startMs } = await look;
    requireKnown(choice, analysis);
    const cover = coverPictures(analysis, choice, { startMs });
    const ffmpegPath = this.#ffmpegPath;
    this.#encoder ??= findVideoEncoder(ffmpegPath, ['h264_v4l2m2m']);
    const encoder = await this.#encoder;
    const redacted = await redactClip({ ffmpegPath, encoder, pictures, analysis, cover, span, signal });
    // One that failed is not tried again in this session.
    if (redacted?.encoder === 'libx264') this.#encoder = Promise.resolve(undefined);
    if (redacted === undefined) {
      const message = 'Cannot redact the clip: no whole group of pictures lies inside the chosen times';
      throw new AgentError('usage', 'share/nothing-selected', message);
    }
    const redactionId = randomUUID();
    this.#keep(redactionId, { ...redacted, clipId, choice });
    const filled = cover.map((cells) => cells.reduce((sum, cell) => sum + cell, 0) / cells.length);
    return {
      redactionId,
      untouchedCount: redacted.untouchedCount,
      fragmentCount: redacted.fragmentCount,
      fromMs: redacted.fromMs,
      toMs: redacted.toMs,
      filledE6: Math.round((filled.reduce((sum, share) => sum + share, 0) / Math.max(1, filled.length)) * 1e6),
      mostFilledE6: Math.round(filled.reduce((most, share) => Math.max(most, share), 0) * 1e6),
    };
  }

  /** The newest stays; older ones make room for it. */
  #keep(redactionId: string, made: KeptRedaction): void {
    this.#made.set(redactionId, made);
    const bytesOf = ({ parts }: KeptRedaction): number => parts.reduce((sum, part) => sum + part.bytes.length, 0);
    let bytes = [...this.#made.values()].reduce((sum, kept) => sum + bytesOf(kept), 0);
    for (const [id, kept] of this.#made) {
      if (id === redactionId || (this.#made.size <= maxRedactions && bytes <= maxRedactedBytes)) break;
      this.#made.delete(id);
      bytes -= bytesOf(kept);
    }
  }

  get(redactionId: string): KeptRedaction {
    const made = this.#made.get(redactionId);
    if (made === undefined) {
      const message = 'Cannot go on: this redaction was not made in this session, or made room for newer ones';
      throw new AgentError('refused', 'vault/no-such-redaction', message);
    }
    return made;
  }
}

function openPictures(library: ClipLibrary, clipId: string): ClipPictures {
  const { video, closing } = library.open(clipId);
  if (closing === undefined) {
    const message = 'Cannot redact this clip: a power loss cut it before it was signed, so it can’t be shared';
    throw new AgentError('refused', 'share/clip-cut', message);
  }
  return readPictures(video, closing.fragments);
}

/** What can't be done must not look as if it had been: nobody found because nobody looked is no redaction. */
function requireKnown(choice: RedactionChoice, analysis: Analysis): void {
  if (choice.fill === 'people' && analysis.noModel !== undefined) {
    throw new AgentError(
      'unavailable',
      'redact/no-model',
      'Cannot fill people: the person model cannot be used on this device. Fill everything that moves, or draw regions',
      { detail: { code: analysis.noModel } },
    );
  }
  const known = new Set(analysis.people.map(({ id }) => id));
  if (choice.keep.some((id) => !known.has(id))) {
    throw new AgentError(
      'usage',
      'redact/no-such-person',
      'Cannot keep this person: the clip has nobody of that number',
    );
  }
}
