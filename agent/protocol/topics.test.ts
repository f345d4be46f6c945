import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTopic, regionFilter, type Topic, topicOf } from './topics.ts';

const malformed = expect.objectContaining({ code: 'topic/malformed', kind: 'refused' });
const requestId = '0123456789abcdef'.repeat(2);

describe('topics', () => {
  const cases: [Topic, string][] = [
    [{ type: 'rq', region: 'US-CA', agency: 'maple', requestId }, `latchkey/1/US-CA/rq/maple/${requestId}`],
    [{ type: 'rv', region: 'US-CA', agency: 'maple', seq: 7 }, 'latchkey/1/US-CA/rv/maple/7'],
    [{ type: 'oc', region: 'DE-BE', agency: 'a-1', seq: 12 }, 'latchkey/1/DE-BE/oc/a-1/12'],
    [{ type: 'nt', region: 'FR-75', agency: 'maple', seq: 1 }, 'latchkey/1/FR-75/nt/maple/1'],
    [{ type: 'ag', region: 'US-CA', agency: 'maple' }, 'latchkey/1/US-CA/ag/maple'],
    [{ type: 'dir', region: 'US-CA', page: 3 }, 'latchkey/1/US-CA/dir/3'],
  ];
  it.each(cases)('%j', (topic, text) => {
    expect(topicOf(topic)).toBe(text);
    expect(parseTopic(text)).toEqual(topic);
  });

  it.each([
    '',
    'latchkey/1/US-CA',
    'latchkey/2/US-CA/ag/maple',
    'latchkey/1/us-ca/ag/maple',
    'latchkey/1/US-CA/ag/Maple',
    'latchkey/1/US-CA/ag/ma',
    'latchkey/1/US-CA/ag/maple/',
    'latchkey/1/US-CA/ag/+',
    'latchkey/1/#',
    'latchkey/1/US-CA/rv/maple/0',
    'latchkey/1/US-CA/rv/maple/07',
    'latchkey/1/US-CA/rv/maple/1e3',
    `latchkey/1/US-CA/rq/maple/${requestId.toUpperCase()}`,
    `latchkey/1/US-CA/rq/maple/${requestId}\n`,
    `latchkey/1/US-CA/ag/${'a'.repeat(41)}`,
    `latchkey/1/US-CA/dir/${'9'.repeat(16)}`,
    ` latchkey/1/US-CA/ag/maple`,
  ])('refuse %j', (text) => {
    expect(() => parseTopic(text)).toThrow(malformed);
  });

  it('are read only as they would be written', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('latchkey1/US-CArqvocntgdimp0#+\0 ')), maxLength: 60 }),
        (text) => {
          try {
            expect(topicOf(parseTopic(text))).toBe(text);
          } catch (thrown) {
            expect(thrown).toEqual(malformed);
          }
        },
      ),
    );
  });

  it('are not written from wild parts, and the filter takes a region only', () => {
    expect(() => topicOf({ type: 'ag', region: 'US-CA', agency: '#' })).toThrow(malformed);
    expect(() => topicOf({ type: 'dir', region: 'US-CA', page: 0 })).toThrow(malformed);
    expect(regionFilter('US-CA')).toBe('latchkey/1/US-CA/#');
    for (const region of ['', '+', 'US-CA/#', 'us-ca', 'US']) expect(() => regionFilter(region)).toThrow(malformed);
  });
});
