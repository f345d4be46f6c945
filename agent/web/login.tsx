/** The log-in. A browser that is paired opens the view with it, because its user has just said who they are. */
import type { JSX } from 'preact';
import { post } from './api.ts';
import { ActionForm, Field, Message, PageHeading } from './form.tsx';
import { loadPairing } from './pairing.ts';

export function LoginPage(props: {
  readonly problem: string | undefined;
  readonly refresh: () => Promise<void>;
}): JSX.Element {
  const logIn = async (fields: Readonly<Record<string, string>>): Promise<void> => {
    await post('/api/login', { name: fields['name'], password: fields['password'] });
    const pairing = loadPairing();
    // A pairing that has ended is no reason to fail the log-in; the lock panel says what to do.
    if (pairing !== undefined) await post('/api/unlock', pairing).catch(() => undefined);
    await props.refresh();
  };
  return (
    <main class="login">
      <p class="brand">Latchkey</p>
      <PageHeading>Log in</PageHeading>
      <ActionForm submit="Log in" work={logIn}>
        <Field label="Name" name="name" autoComplete="username" />
        <Field label="Password" name="password" type="password" autoComplete="current-password" />
      </ActionForm>
      <Message text={props.problem} />
      <p class="hint">
        There is no default account. The first one is made on the device itself, with <code>latchkey init</code>;
        others, and a new password for one that was forgotten, with <code>latchkey accounts</code>.
      </p>
    </main>
  );
}
