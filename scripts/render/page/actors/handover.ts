// Where people and the things they handle meet: scenes place props by these.

/** A pram that a person pushes (holds: 'pram') stands this far ahead of the person's origin, same heading and way. */
export const PRAM_AHEAD_M = 0.82;
/** A parcel put down (or to be picked up) lies this far ahead of the person's origin, same heading. */
export const PARCEL_AHEAD_M = 0.48;
/** After this long in 'putDown' the parcel has left the hands; after this long in 'pickUp' it is in them. */
export const PARCEL_HANDOVER_SEC = 1.1;
/** Height of the step that 'sit' sits on, and how far behind the person's origin its middle is. */
export const SEAT_M = 0.38;
export const SEAT_BEHIND_M = 0.4;
