import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Which addresses may be called that users name: of webhooks, of HTTP sinks. */
export interface AddressRules {
  /** Whether the operator trusts the host by its name, whatever it resolves to. */
  allowsHost(host: string): boolean;
  allowsAddress(address: string): boolean;
}

/** Thrown through the HTTP client when a name resolves only to addresses that may not be called. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** IPv6 addresses given out for the public; outside of it are mapped, translated and local ones. */
const PUBLIC_IPV6 = ipaddr.parseCIDR('2000::/3');

/** IPv4-mapped IPv6 addresses are judged as what they are. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(PUBLIC_IPV6);
}

/** Brackets of IPv6 literals and the dot at the end of a full name do not matter. */
export const hostOf = (url: URL): string => bare(url.hostname);
const bare = (host: string): string => host.toLowerCase().replace(/^\[|\]$|\.$/g, '');

/** @param allowed host names, addresses and networks (`10.1.0.0/16`) that may be called although they are not public */
export function createAddressRules(allowed: readonly string[]): AddressRules {
  const hosts = new Set(allowed.map(bare));
  const networks = allowed.map(bare).flatMap((entry) => {
    if (ipaddr.isValidCIDR(entry)) return [ipaddr.parseCIDR(entry)];
    if (!ipaddr.isValid(entry)) return [];
    const address = ipaddr.process(entry);
    return [ipaddr.parseCIDR(`${address.toString()}/${address.kind() === 'ipv4' ? 32 : 128}`)];
  });
  const isListed = (address: ipaddr.IPv4 | ipaddr.IPv6) =>
    networks.some(([network, bits]) => network.kind() === address.kind() && address.match([network, bits]));
  return {
    allowsHost: (host) => hosts.has(bare(host)),
    allowsAddress(text) {
      if (!ipaddr.isValid(text)) return false;
      const address = ipaddr.process(text);
      return isPublic(address) || isListed(address);
    },
  };
}

/** Whether the host is an address itself, which nothing will resolve and check later. */
export const isAddress = (host: string): boolean => ipaddr.isValid(bare(host));

const resolveBySystem: Resolve = (host) => systemLookup(host, { all: true });

/**
 * What the HTTP client resolves names with: once per connection, and the connection is made to what was checked here,
 * so that a name which answers differently the next time (DNS rebinding) gains nothing.
 */
export function checkedLookup(rules: AddressRules, resolve: Resolve = resolveBySystem): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (found) => {
        const allowed = rules.allowsHost(host)
          ? [...found]
          : found.filter(({ address }) => rules.allowsAddress(address));
        const [first] = allowed;
        if (!first) done(new AddressRefused(`${host} is not a public address`), '', 0);
        else if (options.all) done(null, allowed);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}
