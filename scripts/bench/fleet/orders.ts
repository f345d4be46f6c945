/** What the bench tells a process full of devices, and what comes back. */

export type DeviceOrder =
  | {
      readonly kind: 'connect';
      readonly count: number;
      readonly port: number;
      readonly filter: string;
      /** PEM of the broker's authority: connect by TLS. */
      readonly ca?: string;
      readonly login?: { readonly name: string; readonly password: string };
    }
  | { readonly kind: 'expect'; readonly messageCount: number }
  | { readonly kind: 'count' }
  | { readonly kind: 'close' };

export type DeviceReport =
  | { readonly kind: 'connected'; readonly failedCount: number }
  | { readonly kind: 'ready' }
  /** One moment per device, when it had all that it waited for. */
  | { readonly kind: 'arrived'; readonly atNs: readonly number[] }
  | {
      readonly kind: 'counted';
      readonly arrivedCount: number;
      readonly answerBytes: number;
      readonly lostCount: number;
    };
