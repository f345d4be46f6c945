import { Duplex } from 'node:stream';
import { AgentError } from '../base/errors.ts';

/**
 * The transport under the MQTT client, which holds the promise that nothing received ever causes a byte to be sent:
 * upstream it lets through exactly one CONNECT, one SUBSCRIBE and then PINGREQs. Whatever else the client library would
 * write (an acknowledgement that a hostile broker asked for by sending QoS 1, an AUTH, a PUBLISH) ends the connection
 * before it reaches the socket. Downstream it ends the connection when a packet is announced as larger than allowed,
 * so that a broker that ignores our Maximum Packet Size can't fill the memory.
 */
const upstreamOrder = [1, 8, 12] as const; // CONNECT, SUBSCRIBE, PINGREQ

/** Splits a byte stream into MQTT packets by their fixed headers only (MQTT 5.0, section 2.1). */
class PacketWalker {
  #headerBytes = 0;
  #length = 0;
  #bodyLeft = 0;

  /** Calls `onType` at the first byte of every packet and `onLength` once its remaining length is known. */
  walk(chunk: Uint8Array, onType: (type: number) => void, onLength: (remainingLength: number) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= step;
        at += step;
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#headerBytes === 0) {
        onType(byte >> 4);
        this.#length = 0;
        this.#headerBytes = 1;
        continue;
      }
      if (this.#headerBytes > 4) throw badPacket();
      this.#length += (byte & 0x7f) * 128 ** (this.#headerBytes - 1);
      this.#headerBytes += 1;
      if ((byte & 0x80) !== 0) continue;
      this.#headerBytes = 0;
      this.#bodyLeft = this.#length;
      onLength(this.#length);
    }
  }
}

function badPacket(): AgentError {
  return new AgentError('unavailable', 'courier/bad-packet', 'The broker sent something that is not MQTT');
}

function oversized(): AgentError {
  return new AgentError('unavailable', 'courier/oversized-packet', 'The broker sent a packet over the limit');
}

function upstreamRefused(): AgentError {
  return new AgentError(
    'refused',
    'courier/upstream-refused',
    'The broker asked for an answer; the connection was ended instead',
  );
}

const ignore = (): void => undefined;

export class QuietStream extends Duplex {
  readonly #socket: Duplex;
  readonly #up = new PacketWalker();
  readonly #down = new PacketWalker();
  #sentPackets = 0;
  #refused = false;

  constructor(socket: Duplex, maxPacketBytes: number) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#down.walk(chunk, ignore, (length) => {
          if (length > maxPacketBytes) throw oversized();
        });
      } catch (thrown) {
        this.destroy(thrown as Error);
        return;
      }
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  /** The client library writes a packet field by field: together they are one record of TLS instead of twenty. */
  override _writev(parts: readonly { readonly chunk: Buffer | string }[], done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(parts.map(({ chunk }) => Buffer.from(chunk as Buffer))), done);
  }

  #send(chunk: Buffer, done: (error?: Error | null) => void): void {
    try {
      // A stream goes on with queued writes until its failure has been announced: a refused one stays refused.
      if (this.#refused) throw upstreamRefused();
      this.#up.walk(chunk, (type) => this.#checkUpstream(type), ignore);
    } catch (thrown) {
      this.#refused = true;
      done(thrown as Error);
      return;
    }
    this.#socket.write(chunk, (error) => done(error ?? null));
  }

  #checkUpstream(type: number): void {
    if (type !== upstreamOrder[Math.min(this.#sentPackets, upstreamOrder.length - 1)]) throw upstreamRefused();
    this.#sentPackets += 1;
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
