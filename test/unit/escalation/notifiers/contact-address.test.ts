import { describe, expect, it } from 'vitest';
import { checkContactAddress, checkWebhookSecret } from '../../../../escalation/notifiers/contact-address.js';
import { SluiceError } from '../../../../src/core/errors.js';
import { createAddressRules } from '../../../../src/core/safe-address.js';
import { aSecret } from '../../../support/notification.js';

function pathOf(check: () => void): unknown {
  try {
    check();
    return null;
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONTACT_INVALID' });
    return error instanceof SluiceError ? error.path : error;
  }
}

describe('a contact', () => {
  it.each([
    ['WEBHOOK', 'https://agents.example/hook?team=1'],
    ['WEBHOOK', 'http://127.0.0.1:8080/'],
    ['EMAIL', 'chief@example.org'],
  ] as const)('%s %s can be saved', (channel, address) => {
    expect(pathOf(() => checkContactAddress(channel, address))).toBeNull();
  });

  it.each([
    ['WEBHOOK', 'agents.example'],
    ['WEBHOOK', 'ftp://agents.example/'],
    ['WEBHOOK', 'file:///etc/passwd'],
    ['WEBHOOK', 'https://user:password@agents.example/'],
    ['WEBHOOK', `https://agents.example/${'x'.repeat(2_048)}`],
    ['EMAIL', 'nobody'],
    ['EMAIL', 'a@example.org, b@example.org'],
    ['EMAIL', 'a@example.org\nBcc: b@example.org'],
  ] as const)('%s %s cannot', (channel, address) => {
    expect(pathOf(() => checkContactAddress(channel, address))).toEqual(['address']);
  });

  it('written as an address of the inside is refused where the rules are known', () => {
    const check = (address: string) =>
      pathOf(() => checkContactAddress('WEBHOOK', address, createAddressRules(['10.0.0.1'])));
    expect(check('http://[::ffff:127.0.0.1]/')).toEqual(['address']);
    expect(check('http://0x7f.1/')).toEqual(['address']);
    expect(check('http://10.0.0.1/')).toBeNull();
    expect(check('http://8.8.8.8/')).toBeNull();
  });

  it('has a secret as the Standard Webhooks specification wants it', () => {
    expect(pathOf(() => checkWebhookSecret(aSecret()))).toBeNull();
    for (const secret of ['', 'whsec_', 'whsec_c2hvcnQ=', 'a'.repeat(40), `whsec_${'!'.repeat(32)}`])
      expect(pathOf(() => checkWebhookSecret(secret))).toEqual(['secret']);
  });
});
