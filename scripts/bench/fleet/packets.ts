/** The few MQTT 5 packets that a device sends, byte for byte as the courier's, and the least that is needed to read. Pure. */

export const packetTypes = { connack: 2, publish: 3, suback: 9, pingresp: 13 } as const;

/** CONNECT: clean start, session expiry 0, at most 50 KiB a packet, keepalive in seconds. */
export function connectPacket(
  clientId: string,
  keepaliveS: number,
  login?: { name: string; password: string },
): Buffer {
  const flags = 0x02 | (login === undefined ? 0 : 0xc0);
  const properties = Buffer.from([0x11, 0, 0, 0, 0, 0x27, 0, 0, 0xc8, 0]);
  const variable = Buffer.from([
    0,
    4,
    0x4d,
    0x51,
    0x54,
    0x54,
    5,
    flags,
    keepaliveS >> 8,
    keepaliveS & 0xff,
    properties.length,
  ]);
  const credentials = login === undefined ? [] : [text(login.name), text(login.password)];
  return packet(0x10, Buffer.concat([variable, properties, text(clientId), ...credentials]));
}

/** SUBSCRIBE at QoS 0 to one filter. */
export function subscribePacket(filter: string): Buffer {
  return packet(0x82, Buffer.concat([Buffer.from([0, 1, 0]), text(filter), Buffer.from([0])]));
}

export const pingPacket = Buffer.from([0xc0, 0]);

function text(of: string): Buffer {
  const bytes = Buffer.from(of);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function packet(first: number, rest: Buffer): Buffer {
  const length: number[] = [];
  for (let left = rest.length; ; left = Math.floor(left / 128)) {
    length.push(left >= 128 ? (left % 128) | 0x80 : left);
    if (left < 128) break;
  }
  return Buffer.concat([Buffer.from([first, ...length]), rest]);
}

/** Tells where packets end in a stream, without keeping any of it. */
export class PacketEnds {
  #type = 0;
  #lengthBytes = -1;
  #length = 0;
  #left = 0;

  /** Calls `onPacket` with the type of each packet that ends in this chunk. */
  read(chunk: Uint8Array, onPacket: (type: number) => void): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at);
        this.#left -= step;
        at += step;
        if (this.#left === 0) onPacket(this.#type);
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#lengthBytes < 0) {
        this.#type = byte >> 4;
        this.#length = 0;
        this.#lengthBytes = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
      this.#lengthBytes += 1;
      if ((byte & 0x80) !== 0) continue;
      this.#lengthBytes = -1;
      this.#left = this.#length;
      if (this.#left === 0) onPacket(this.#type);
    }
  }
}
