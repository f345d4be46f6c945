/** What `doctor` says about one thing: how it is, and what to do where it should be otherwise. */
export interface Finding {
  /** `clock`, `camera front`: what was looked at. */
  readonly about: string;
  /** `poor`: it works, and something is lost by it. `bad`: something that was set up does not work. */
  readonly verdict: 'good' | 'poor' | 'bad';
  readonly what: string;
  /** Left out where nothing is to be done. */
  readonly advice?: string;
  /** Figures that were measured here. */
  readonly figures?: Readonly<Record<string, number | string>>;
}

export const good = (about: string, what: string, figures?: Finding['figures']): Finding => ({
  about,
  verdict: 'good',
  what,
  ...(figures === undefined ? {} : { figures }),
});

export const poor = (about: string, what: string, advice: string, figures?: Finding['figures']): Finding => ({
  about,
  verdict: 'poor',
  what,
  advice,
  ...(figures === undefined ? {} : { figures }),
});

export const bad = (about: string, what: string, advice: string, figures?: Finding['figures']): Finding => ({
  ...poor(about, what, advice, figures),
  verdict: 'bad',
});
