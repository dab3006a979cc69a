import { z } from 'zod';
import { SluiceError } from '../../src/core/errors.js';
import { type AddressRules, hostOf, isAddress } from '../../src/core/safe-address.js';
import type { AgentContact } from '../ports.js';

const LONGEST_URL = 2_048;
/** Of the Standard Webhooks specification: 24 to 64 random bytes in base64, with a prefix. */
const SECRET = /^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const email = z.email().max(254);

const invalid = (path: string, message: string) => new SluiceError('CONTACT_INVALID', message, { path: [path] });

/**
 * Refuses what can never be called. What a host name resolves to is judged at every call, not here.
 * @param rules given, an address that is written as an IP address has to keep them
 * @throws SluiceError CONTACT_INVALID
 */
export function checkContactAddress(channel: AgentContact['channel'], address: string, rules?: AddressRules): void {
  if (channel === 'EMAIL') {
    if (!email.safeParse(address).success) throw invalid('address', 'The address is not one email address.');
    return;
  }
  if (!URL.canParse(address)) throw invalid('address', 'The address is not a URL.');
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid('address', 'The URL of a webhook begins with https:// or http://.');
  if (address.length > LONGEST_URL) throw invalid('address', `The URL is longer than ${LONGEST_URL} characters.`);
  if (url.username !== '' || url.password !== '')
    throw invalid('address', 'The URL of a webhook holds no user name and password; calls are signed instead.');
  const host = hostOf(url);
  if (rules && isAddress(host) && !rules.allowsHost(host) && !rules.allowsAddress(host))
    throw invalid('address', `${host} is not a public address, and SLUICE_WEBHOOK_ALLOW does not name it.`);
}

/** @throws SluiceError CONTACT_INVALID, without repeating the secret */
export function checkWebhookSecret(secret: string): void {
  const bytes = SECRET.test(secret) ? Buffer.from(secret.slice('whsec_'.length), 'base64').length : 0;
  if (bytes < 24 || bytes > 64)
    throw invalid('secret', 'The secret of a webhook is `whsec_` and 24 to 64 random bytes in base64.');
}
