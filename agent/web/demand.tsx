/** After a share has arrived: the demands that it be deleted, those that go out by themselves and the owner's own. */
import type { JSX } from 'preact';
import type { ShareAftermath } from '../owner/service.ts';
import { post } from './api.ts';
import type { PageProps } from './app.tsx';
import { ActionForm, Field } from './form.tsx';
import { demandInWords } from './words.ts';

export function Demands(props: PageProps & { readonly path: string; readonly after: ShareAftermath }): JSX.Element {
  const { path, after, session, health, refresh } = props;
  const demand = async (fields: Readonly<Record<string, string>>): Promise<void> => {
    const { ground, passphrase } = fields;
    if (health.lock !== 'deciding') await post('/api/unlock', { passphrase });
    await post(`${path}/demand`, { ground, passphrase });
    await refresh();
  };
  return (
    <>
      {after.demands.length > 0 && (
        <ul aria-label="Demands for deletion">
          {after.demands.map(({ ground, state }, i) => (
            <li key={i}>{demandInWords(ground, state)}</li>
          ))}
        </ul>
      )}
      {session.role === 'owner' && after.deletion !== 'confirmed' && (
        <ActionForm submit="Demand its deletion now" work={demand}>
          <fieldset>
            <legend>Why</legend>
            <Ground value="owner_request" text="I no longer want it kept" chosen />
            <Ground value="terms_breach" text="The agency broke its terms" />
          </fieldset>
          <Field
            label="Passphrase"
            name="passphrase"
            type="password"
            hint="The six words: the demand is signed with your key."
          />
        </ActionForm>
      )}
    </>
  );
}

function Ground(props: { readonly value: string; readonly text: string; readonly chosen?: boolean }): JSX.Element {
  return (
    <label class="tick">
      <input type="radio" name="ground" value={props.value} defaultChecked={props.chosen === true} />
      {props.text}
    </label>
  );
}
