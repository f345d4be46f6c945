/** Joins model, screen, keys and the owner program: one effect at a time, its result back into the model. */
import { AgentError, asAgentError } from '../../base/errors.ts';
import { normalisePassphrase, passphraseProblem } from '../../vault/passphrase.ts';
import type { CliIo } from '../io.ts';
import type { OwnerClient } from '../owner-client.ts';
import { describeState } from '../request-text.ts';
import { clean, localTime } from '../terminal-text.ts';
import { type Key, KeyReader } from './keys.ts';
import { type Arrival, arrive, type Effect, firstState, type PromptState, press } from './model.ts';
import { Screen } from './screen.ts';
import { render } from './views.ts';

const escapeWaitMs = 50;
const refreshMs = 5000;

export class PromptSession {
  readonly #owner: OwnerClient;
  readonly #io: CliIo;
  readonly #keys = new KeyReader();
  #state: PromptState;
  #unlockedHere = false;
  #finish: () => void = () => {};
  #screen: Screen | undefined;

  constructor(owner: OwnerClient, io: CliIo, webAddress: string, reminder?: string) {
    this.#owner = owner;
    this.#io = io;
    this.#state = firstState(webAddress, reminder);
  }

  /** Until the person quits or the signal is aborted; then what was unlocked here is locked again. */
  async run(signal: AbortSignal): Promise<void> {
    const { stdin } = this.#io;
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    signal.addEventListener('abort', this.#finish, { once: true });
    let escapeTimer: NodeJS.Timeout | undefined;
    const onData = (text: string): void => {
      clearTimeout(escapeTimer);
      this.#pressAll(this.#keys.feed(text));
      if (this.#keys.waiting) escapeTimer = setTimeout(() => this.#pressAll(this.#keys.flush()), escapeWaitMs);
    };
    const refresh = setInterval(() => void this.#refreshQuietly(), refreshMs);
    stdin.setEncoding('utf8');
    try {
      using screen = new Screen(this.#io, () => this.#draw());
      this.#screen = screen;
      stdin.on('data', onData).on('end', this.#finish);
      void this.#perform({ do: 'refresh' });
      await finished;
    } finally {
      this.#screen = undefined;
      clearInterval(refresh);
      clearTimeout(escapeTimer);
      stdin.off('data', onData).off('end', this.#finish).pause();
      if (this.#unlockedHere) await this.#owner.call('lock').catch(() => {});
      // What was unlocked elsewhere stays so; what is being filled for nobody any more must not hold the machine.
      else if (this.#state.busy) await this.#owner.call('cancelRedaction').catch(() => {});
    }
  }

  #draw(): void {
    if (this.#screen !== undefined) this.#screen.draw(render(this.#state, this.#screen.size));
  }

  #pressAll(keys: readonly Key[]): void {
    for (const key of keys) {
      const { state, effect } = press(this.#state, key);
      this.#state = state;
      if (effect !== undefined) void this.#perform(effect);
    }
    this.#draw();
  }

  async #perform(effect: Effect): Promise<void> {
    if (effect.do === 'quit') return this.#finish();
    try {
      this.#state = arrive(this.#state, await this.#answer(effect));
    } catch (thrown) {
      const { message, code } = asAgentError(thrown);
      this.#state = arrive(this.#state, { kind: 'failed', message: `${clean(message)} (${code})` });
    }
    this.#draw();
  }

  async #refreshQuietly(): Promise<void> {
    const idle = (): boolean => !this.#state.busy && this.#state.screen.kind === 'inbox';
    if (!idle()) return;
    const arrival = await this.#answer({ do: 'refresh' }).catch(() => undefined);
    // A key may have started something meanwhile: its own answer comes later and must not be mixed up with this one.
    if (arrival === undefined || !idle()) return;
    this.#state = arrive(this.#state, arrival);
    this.#draw();
  }

  async #request(requestId: string, message?: string): Promise<Arrival> {
    const request = await this.#owner.call('showRequest', { requestId });
    return { kind: 'request', request, ...(message === undefined ? {} : { message }) };
  }

  async #answer(effect: Exclude<Effect, { do: 'quit' }>): Promise<Arrival> {
    const owner = this.#owner;
    switch (effect.do) {
      case 'refresh': {
        const [health, requests] = [await owner.call('health'), await owner.call('listRequests')];
        return { kind: 'inbox', requests, lock: health.lock };
      }
      case 'open':
        return this.#request(effect.requestId);
      case 'review': {
        if (effect.passphrase !== undefined) await this.#unlock(effect.passphrase);
        const { request, clips } = await owner.call('review', { requestId: effect.requestId });
        return { kind: 'clips', request, clips };
      }
      case 'preview': {
        const { request, chosen, sound, discloseLineage, hide } = effect.from;
        const { requestId } = request;
        const preview = await owner.call('preview', {
          requestId,
          selection: [...chosen.values()].map((selection) =>
            hide === 'none' ? selection : { ...selection, redact: { fill: hide, masks: true } },
          ),
          sound,
          discloseLineage,
        });
        return { kind: 'preview', from: effect.from, preview };
      }
      case 'approve': {
        const { requestId, previewId } = effect;
        const share = await owner.call('approve', {
          requestId,
          previewId,
          passphrase: normalisePassphrase(effect.passphrase),
        });
        return this.#request(
          requestId,
          `Approved. Until ${localTime(share.releaseNotBeforeMs)} you can take it back with w.`,
        );
      }
      case 'decline':
      case 'withdraw': {
        const { state } = await owner.call(effect.do, { requestId: effect.requestId });
        return this.#request(effect.requestId, `The request is ${describeState(state)}.`);
      }
    }
  }

  async #unlock(typed: string): Promise<void> {
    try {
      await this.#owner.call('unlockDeciding', { passphrase: normalisePassphrase(typed) });
    } catch (thrown) {
      const problem = passphraseProblem(typed);
      const error = asAgentError(thrown);
      if (error.code !== 'vault/wrong-passphrase' || problem === undefined) throw error;
      throw new AgentError(error.kind, error.code, `${error.message}: ${problem}`);
    }
    this.#unlockedHere = true;
  }
}
