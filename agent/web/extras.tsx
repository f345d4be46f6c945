/** What may go along with the pictures. Both are off until ticked, and sound can be ticked only where it is asked for. */
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { RequestDetail } from '../owner/service.ts';

export interface ExtrasChoice {
  readonly sound: boolean;
  readonly discloseLineage: boolean;
}

export const noExtras: ExtrasChoice = { sound: false, discloseLineage: false };

export function Extras(props: {
  readonly request: RequestDetail;
  readonly choice: ExtrasChoice;
  readonly onChange: (choice: ExtrasChoice) => void;
}): JSX.Element {
  const { request, choice, onChange } = props;
  return (
    <fieldset class="extras">
      <legend>What else goes along</legend>
      {request.asksForSound ? (
        <Tick
          label="Send the sound too"
          hint="The request asks for it. Without the tick only the pictures are sent."
          checked={choice.sound}
          onChange={(sound) => onChange({ ...choice, sound })}
        />
      ) : (
        <p class="hint">No sound: the request does not ask for it.</p>
      )}
      <Tick
        label="Prove that these clips come from one device"
        hint="It lets the agency link your shares of this month. Without it each clip still proves that it is unaltered."
        checked={choice.discloseLineage}
        onChange={(discloseLineage) => onChange({ ...choice, discloseLineage })}
      />
    </fieldset>
  );
}

function Tick(props: {
  readonly label: string;
  readonly hint: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}): JSX.Element {
  const id = useId();
  return (
    <div>
      <label class="tick">
        <input
          type="checkbox"
          checked={props.checked}
          aria-describedby={id}
          onChange={(event) => props.onChange(event.currentTarget.checked)}
        />
        {props.label}
      </label>
      <p class="hint" id={id}>
        {props.hint}
      </p>
    </div>
  );
}
