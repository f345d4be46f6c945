/** The viewing key of this browser. It is worth nothing without a log-in, and the device itself never keeps it. */

export interface Pairing {
  readonly pairingId: string;
  readonly viewingKey: string;
}

const slot = 'latchkey-pairing';

export function loadPairing(): Pairing | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(slot) ?? 'null') as Partial<Pairing> | null;
    if (typeof kept?.pairingId !== 'string' || typeof kept.viewingKey !== 'string') return undefined;
    return { pairingId: kept.pairingId, viewingKey: kept.viewingKey };
  } catch {
    return undefined;
  }
}

export function savePairing({ pairingId, viewingKey }: Pairing): void {
  localStorage.setItem(slot, JSON.stringify({ pairingId, viewingKey }));
}

export function forgetPairing(): void {
  localStorage.removeItem(slot);
}
