/** After a yes: what leaves when, and the way back, which needs no passphrase. */
import type { JSX } from 'preact';
import type { RequestDetail, ShareSummary } from '../owner/service.ts';
import { post } from './api.ts';
import type { PageProps } from './app.tsx';
import { Demands } from './demand.tsx';
import { ActionForm, Fact } from './form.tsx';
import { canWithdraw, dateTime, deletionInWords, outcomeInWords, size } from './words.ts';

export function SharePanel(
  props: PageProps & { readonly path: string; readonly request: RequestDetail; readonly share: ShareSummary },
): JSX.Element {
  const { path, request, share, session, refresh } = props;
  const withdraw = async (): Promise<void> => {
    await post(`${path}/withdraw`);
    await refresh();
  };
  const confirm = async (): Promise<void> => {
    await post(`${path}/confirm`);
    await refresh();
  };
  const open = canWithdraw(request.state);
  const asked = open && share.waitsFor === session.name;
  return (
    <section class="card" aria-labelledby="share-heading">
      <h2 id="share-heading">{asked ? 'What you are asked to confirm' : 'What you approved'}</h2>
      <dl>
        {open && <Fact name="Leaves at the earliest">{dateTime(share.releaseNotBeforeMs)}</Fact>}
        {share.waitsFor !== undefined && <Fact name="Waits for">{share.waitsFor}, who must confirm it</Fact>}
        <Fact name="Size">{size(share.bytes)}, sealed</Fact>
        <Fact name="Share">
          <code class="long">{share.shareId}</code>
        </Fact>
        {share.after !== undefined && (
          <>
            <Fact name="Arrived">{dateTime(share.after.sharedAtMs)}</Fact>
            <Fact name="What it led to">
              {outcomeInWords(share.after.outcome)}; a report is due by {dateTime(share.after.outcomeDueMs)}
            </Fact>
            <Fact name="Deletion">
              {deletionInWords(share.after.deletion)}; due by {dateTime(share.after.deleteDueMs)}
            </Fact>
          </>
        )}
      </dl>
      {share.after !== undefined && <Demands {...props} after={share.after} />}
      {open && (
        <>
          <p>
            You can {asked ? 'say no to it' : 'change your mind'}. Until the key is sent, withdrawing means that nobody
            can ever read it.
          </p>
          {asked && session.role === 'owner' && <ActionForm submit="Confirm" work={confirm} />}
          {session.role === 'owner' && <ActionForm submit="Withdraw" work={withdraw} />}
        </>
      )}
    </section>
  );
}
