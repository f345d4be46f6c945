import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { passphrase } from '../owner/api/fixture/memory-service.ts';
import { runCommand } from './fixture/command.ts';
import { type Installation, makeInstallation } from './fixture/installation.ts';
import { Terminal } from './fixture/terminal.ts';
import { register } from './prompt.ts';
import { banner } from './request-text.ts';

let place: Installation;
beforeEach(async () => {
  place = makeInstallation();
  await place.startOwner();
});
afterEach(async () => place[Symbol.asyncDispose]());

function openPrompt(size?: { columns: number; rows: number }): Terminal {
  return new Terminal(place.folder, ['prompt', '--config', place.configPath], size);
}

describe('the prompt in a terminal of 80 x 24', () => {
  it('leads from the inbox to an approval that can be taken back, by keyboard alone', async () => {
    using terminal = openPrompt();
    const inbox = await terminal.see('Cedar Falls Police Department');
    expect(inbox.split('\n')[0]?.trim()).toBe(banner);

    terminal.type('Enter');
    const detail = await terminal.see('One request');
    expect(detail).toContain('A package and a bicycle were taken');
    expect(detail).toContain('[ c  Choose clips ]   [ d  Decline ]');
    terminal.type('c');
    await terminal.see('Passphrase to look at the clips');
    terminal.typeText('amber canoe drift lantern quiet widow');
    terminal.type('Enter');
    await terminal.see('vault/wrong-passphrase');
    terminal.type('c');
    await terminal.see('Passphrase to look at the clips');
    terminal.typeText(passphrase);
    expect(terminal.text).not.toContain('lantern');
    terminal.type('Enter');
    const clips = await terminal.see('0 of 3 chosen');
    expect(clips).toContain('[ ]');
    expect(clips).not.toContain('[x]');

    terminal.type('p');
    await terminal.see('Choose a clip first');
    terminal.type('Down', 'Space');
    await terminal.see('shares 40.0 s');
    terminal.typeText(']]}');
    await terminal.see('shares 38.0 s');
    terminal.typeText('{{');
    await terminal.see('shares 36.0 s');
    terminal.typeText('h');
    await terminal.see('[x] h  black over everybody who is found');
    terminal.type('p');
    expect(await terminal.see('Exactly this would be sent')).toContain('36.0 s, derived');
    expect(place.service.lastSelection).toMatchObject([{ redact: { fill: 'people', masks: true } }]);
    await terminal.see('somebody may have been missed');
    terminal.type('Escape');
    terminal.typeText('hh');
    await terminal.see('[ ] h  hide people with black: now nobody');
    terminal.typeText('so');
    await terminal.see('[x] s  the sound');
    await terminal.see('[x] o  proof of one device');
    terminal.type('p');
    const preview = await terminal.see('Exactly this would be sent');
    expect(preview).toContain('https://evidence.cedarfalls.example/files');
    expect(preview).toContain('40-video.mp4  1.3 MB');
    expect(preview).toContain('36.0 s, original');
    expect(preview).toContain('that your clips of this month come from one device');
    expect(place.service.lastExtras).toEqual({ sound: true, discloseLineage: true });
    expect(preview).toContain('Not before');
    expect(preview).toContain('At the latest');
    expect(preview).toContain('[ a  Approve ]   [ d  Decline ]');
    terminal.type('o');
    await terminal.see('open https://127.0.0.1:8443/');

    terminal.type('a');
    await terminal.see('Passphrase to approve exactly this share');
    terminal.typeText(passphrase);
    terminal.type('Enter');
    await terminal.see('[ w  Withdraw ]');
    terminal.type('w');
    await terminal.see('Withdraw this share?');
    terminal.type('y');
    await terminal.see('The request is withdrawn.');
    terminal.type('Escape');
    await terminal.see('Requests (2)');
    terminal.type('q');
    await terminal.see('status 0');
    expect(terminal.history).not.toContain('lantern');
    expect(place.service.calls).toContain('COOLING a');
    expect((await place.service.health()).lock).toBe('locked');
  });

  it('shows hostile text as plain text, all of it by scrolling, and declines only after a second key', async () => {
    using terminal = openPrompt();
    await terminal.see('Requests (2)');
    terminal.type('Down', 'Enter');
    const first = await terminal.see('lines 1-18 of');
    expect(first.split('\n')[0]?.trim()).toBe(banner);
    expect(first).toContain('<img src=x');
    terminal.type('NPage', 'NPage');
    await terminal.see('lawful assembly');
    terminal.type('d');
    await terminal.see('Decline this request?');
    terminal.type('n');
    await terminal.see('Nothing was done.');
    expect(place.service.calls).toEqual([]);
    terminal.type('d', 'y');
    await terminal.see('The request is declined.');
    expect(place.service.calls).toEqual(['DECLINED b']);
    terminal.type('C-c');
    await terminal.see('status 0');
  });

  it('ends a filling that nobody waits for, also where it was unlocked elsewhere, and leaves that open', async () => {
    const { service } = place;
    await service.unlockDeciding({ passphrase });
    let cancelCount = 0;
    service.preview = () => new Promise(() => {});
    service.cancelRedaction = async () => {
      cancelCount += 1;
      return {};
    };
    using terminal = openPrompt();
    await terminal.see('Requests (2)');
    terminal.type('Enter');
    await terminal.see('Choose clips');
    terminal.type('c');
    await terminal.see('0 of 3 chosen');
    terminal.type('Space');
    terminal.typeText('hp');
    await terminal.see('Filling with black');
    terminal.type('C-c');
    await terminal.see('status 0');
    expect([cancelCount, (await service.health()).lock]).toEqual([1, 'deciding']);
  });

  it('follows a resize, and says when the window is too small to decide in', async () => {
    using terminal = openPrompt({ columns: 100, rows: 30 });
    await terminal.see('Requests (2)');
    terminal.resize(50, 12);
    await terminal.see('Please enlarge the window to 60 x 16.');
    terminal.resize(80, 24);
    const text = await terminal.see('Requests (2)');
    expect(text.split('\n')[0]?.trim()).toBe(banner);
    terminal.type('q');
    await terminal.see('status 0');
  });

  it('refuses a pipe and names the way without a screen', async () => {
    const result = await runCommand([register], ['prompt', '--config', place.configPath]);
    expect([result.status, result.stderr]).toEqual([2, expect.stringContaining('(prompt/no-terminal)')]);
  });
});
