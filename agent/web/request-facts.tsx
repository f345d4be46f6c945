/** Who asks, for what, where and under which terms. Every word of the agency is shown as plain text, without links. */
import type { JSX } from 'preact';
import type { RequestDetail } from '../owner/service.ts';
import { AreaMap } from './area-map.tsx';
import { Fact, Theirs } from './form.tsx';
import { clockTime, dateTime, day, duration, offsetAt, warningInWords } from './words.ts';

const thirdParties = { none: 'To nobody else', court_only: 'Only to a court' } as const;

export function RequestFacts({ request }: { readonly request: RequestDetail }): JSX.Element {
  const { windowFromMs: from, windowToMs: to, terms } = request;
  const sameDay = day(from) === day(to);
  return (
    <>
      {request.warnings.length > 0 && (
        <section class="note" aria-label="Worth knowing">
          <h2>Worth knowing</h2>
          <ul>
            {request.warnings.map((warning) => (
              <li key={warning}>{warningInWords(warning)}</li>
            ))}
          </ul>
        </section>
      )}
      <section class="card" aria-labelledby="who-heading">
        <h2 id="who-heading">Who asks</h2>
        <dl>
          <Fact name="Agency">
            <strong>
              <Theirs text={request.agencyName} />
            </strong>
            <span class="hint">Verified: two people of this agency signed, and you allowed it to ask.</span>
          </Fact>
          <Fact name="Contact">
            <Theirs text={request.contact.name} />, badge <Theirs text={request.contact.badge} />
            <br />
            <Theirs text={request.contact.phone} />
          </Fact>
          <Fact name="Signed with">
            <code>{request.signers.officerKeyId}</code> and <code>{request.signers.approverKeyId}</code>
          </Fact>
          <Fact name="Authority it names">
            <Theirs text={request.legalAuthority} />
          </Fact>
        </dl>
      </section>
      <section class="card" aria-labelledby="what-heading">
        <h2 id="what-heading">About what</h2>
        <dl>
          <Fact name="Incident">
            <Theirs text={request.incident} />
          </Fact>
          <Fact name="Case">
            <Theirs text={request.caseNumber} />
          </Fact>
          <Fact name="In its words">
            <q class="statement">
              <Theirs text={request.statement} />
            </q>
          </Fact>
          <Fact name="Time">
            {day(from)}, {clockTime(from)} to {sameDay ? '' : `${day(to)}, `}
            {clockTime(to)} {offsetAt(from)}
            {offsetAt(from) !== offsetAt(to) && ` (at its end ${offsetAt(to)})`}
            <span class="hint">{duration(to - from)} in your local time</span>
          </Fact>
          <Fact name="Sound">
            {request.asksForSound ? 'Asked for; it goes along only if you tick it' : 'Not asked for, and not sent'}
          </Fact>
          {request.related.length > 0 && (
            <Fact name="Asked before">
              The same agency asks about this case and place in {request.related.length === 1 ? 'another' : 'other'}{' '}
              {request.related.length === 1 ? 'request' : 'requests'}:
              <ul>
                {request.related.map((id) => (
                  <li key={id}>
                    <a href={`#/requests/${id}`}>
                      Request <code>{id.slice(0, 8)}</code>
                    </a>
                  </li>
                ))}
              </ul>
            </Fact>
          )}
          <Fact name="Asked on">{dateTime(request.issuedAtMs)}</Fact>
          <Fact name="Open until">{dateTime(request.expiresAtMs)}</Fact>
        </dl>
      </section>
      <section class="card" aria-labelledby="where-heading">
        <h2 id="where-heading">Where</h2>
        <AreaMap area={request.area} placeE6={request.placeE6} />
      </section>
      <section class="card" aria-labelledby="terms-heading">
        <h2 id="terms-heading">What it promises</h2>
        <dl>
          <Fact name="Deletes it">within {terms.deleteByDays} days</Fact>
          <Fact name="Reports what it was for">within {terms.outcomeDueDays} days</Fact>
          <Fact name="Passes it on">{thirdParties[terms.thirdParty]}</Fact>
          <Fact name="Face recognition">None</Fact>
        </dl>
      </section>
    </>
  );
}
