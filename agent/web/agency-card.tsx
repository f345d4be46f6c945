/** One agency: who it is, how it has kept its word, and how far it is heard. */
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { AgencySummary } from '../owner/service.ts';
import { Fact, Theirs } from './form.tsx';
import { day, standingInWords } from './words.ts';

/** As many a day as the protocol lets any agency ask. */
const mostPerDay = 5;

export function AgencyCard(props: {
  readonly agency: AgencySummary;
  readonly mayChange: boolean;
  readonly change: (what: 'enabled' | 'muted' | 'per-day', body: object) => void;
}): JSX.Element {
  const { agency, mayChange, change } = props;
  const nameId = useId();
  return (
    <li class="card" aria-labelledby={nameId}>
      <strong id={nameId}>
        <Theirs text={agency.name} />
      </strong>
      <dl>
        {agency.kind === 'group' && (
          <Fact name="Kind">A neighbours’ group: it sends alerts and can ask for nothing</Fact>
        )}
        <Fact name="Document">
          version {agency.version}, valid until {day(agency.expiresAtMs)}
        </Fact>
        <Fact name="Reports of what shares led to">
          {agency.score.openCount + agency.score.closedCount} of {agency.score.dueCount} that were due
        </Fact>
        {standingInWords(agency) !== '' && <Fact name="Note">{standingInWords(agency)}</Fact>}
        <Fact name="Key it receives with">
          <code>{agency.recipientKeyId}</code>
        </Fact>
      </dl>
      <div class="ways">
        <label class="tick">
          <input
            type="checkbox"
            checked={agency.enabled}
            disabled={!mayChange}
            onChange={(event) => change('enabled', { enabled: event.currentTarget.checked })}
          />
          May ask me
        </label>
        <label class="tick">
          <input
            type="checkbox"
            checked={agency.muted === 'by-owner'}
            disabled={!mayChange}
            onChange={(event) => change('muted', { muted: event.currentTarget.checked })}
          />
          Muted
        </label>
        <PerDay agency={agency} mayChange={mayChange} change={change} />
      </div>
    </li>
  );
}

function PerDay({ agency, mayChange, change }: Parameters<typeof AgencyCard>[0]): JSX.Element {
  const id = useId();
  return (
    <p class="choice">
      <label for={id}>Requests a day, at most</label>
      <select
        id={id}
        disabled={!mayChange}
        value={String(agency.perDay)}
        onChange={(event) => {
          const perDay = Number(event.currentTarget.value);
          change('per-day', { perDay: perDay === mostPerDay ? null : perDay });
        }}
      >
        {Array.from({ length: mostPerDay + 1 }, (_, n) => (
          <option key={n} value={String(n)}>
            {n === 0 ? 'none' : n}
          </option>
        ))}
      </select>
    </p>
  );
}
