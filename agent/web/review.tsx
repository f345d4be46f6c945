/**
 * One request from reading to deciding. Nothing is chosen beforehand, nothing is urgent, and yes and no weigh the same.
 * What is approved is exactly the preview that was shown: choosing differently takes the preview away.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ClipSummary, Preview, RequestDetail, Selection } from '../owner/service.ts';
import { get, post } from './api.ts';
import type { PageProps } from './app.tsx';
import { ClipChoice } from './clip-choice.tsx';
import { Decision } from './decision.tsx';
import { Extras, type ExtrasChoice, noExtras } from './extras.tsx';
import { ActionForm, Field, Message, PageHeading } from './form.tsx';
import { useLoaded } from './load.ts';
import { PreviewPanel } from './preview.tsx';
import { RequestFacts } from './request-facts.tsx';
import { SharePanel } from './share-panel.tsx';
import { isOpen, stateInWords } from './words.ts';

export function ReviewPage(props: PageProps & { readonly requestId: string }): JSX.Element {
  const path = `/api/requests/${props.requestId}`;
  const { value: request, problem } = useLoaded(() => get<RequestDetail>(path), [props.revision]);
  return (
    <>
      <p class="banner">This is voluntary. You may say yes, no, or nothing. It is not a warrant.</p>
      <p>
        <a href="#/requests">All requests</a>
      </p>
      <PageHeading>A request for footage</PageHeading>
      <Message text={problem} />
      {request !== undefined && (
        <>
          <p class="state" role="status">
            {request.share?.waitsFor === props.session.name
              ? 'Another of this house said yes; nothing leaves before you confirm it'
              : stateInWords(request.state)}
          </p>
          {request.share !== undefined && <SharePanel {...props} path={path} request={request} share={request.share} />}
          <RequestFacts request={request} />
          {isOpen(request.state) && props.session.role === 'owner' && <Choosing {...props} path={path} />}
          {isOpen(request.state) && props.session.role !== 'owner' && (
            <p class="note">Your log-in can read this. Deciding is for an owner’s log-in.</p>
          )}
        </>
      )}
    </>
  );
}

function Choosing(props: PageProps & { readonly path: string }): JSX.Element {
  const { path, session, health, refresh } = props;
  const [clips, setClips] = useState<readonly ClipSummary[]>();
  const [request, setRequest] = useState<RequestDetail>();
  const [chosen, setChosen] = useState<readonly Selection[]>([]);
  const [extras, setExtras] = useState(noExtras);
  const [preview, setPreview] = useState<Preview>();
  const deciding = health.lock === 'deciding';

  const look = async (fields: Readonly<Record<string, string>>): Promise<void> => {
    if (!deciding) await post('/api/unlock', { passphrase: fields['passphrase'] });
    const reviewed = await post<{ request: RequestDetail; clips: readonly ClipSummary[] }>(`${path}/review`);
    setRequest(reviewed.request);
    setClips(reviewed.clips);
    await refresh();
  };
  const choose = (selection: readonly Selection[]): void => {
    setChosen(selection);
    setPreview(undefined);
  };
  const chooseExtras = (choice: ExtrasChoice): void => {
    setExtras(choice);
    setPreview(undefined);
  };
  const makePreview = async (): Promise<void> => {
    if (chosen.length === 0) throw new Error('Choose at least one clip first.');
    setPreview(await post<Preview>(`${path}/preview`, { selection: chosen, ...extras }));
  };
  return (
    <>
      <section aria-labelledby="clips-heading">
        <h2 id="clips-heading">Your clips in this window</h2>
        {!deciding || clips === undefined || request === undefined ? (
          <ActionForm submit="Look at the clips" work={look}>
            <p>Only you see them here. Looking sends nothing and tells nobody.</p>
            {!deciding && <Field label="Passphrase" name="passphrase" type="password" hint="The six words." />}
          </ActionForm>
        ) : (
          <>
            <ClipChoice request={request} clips={clips} chosen={chosen} onChoose={choose} />
            {clips.length > 0 && <Extras request={request} choice={extras} onChange={chooseExtras} />}
            {clips.length > 0 && <ActionForm submit="Show exactly what would be sent" work={makePreview} />}
          </>
        )}
      </section>
      {deciding && preview !== undefined && <PreviewPanel preview={preview} />}
      <Decision
        path={path}
        preview={deciding ? preview : undefined}
        safeguards={health.safeguards}
        session={session}
        refresh={refresh}
      />
    </>
  );
}
