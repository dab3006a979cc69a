import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadClientConfig } from '../../../src/config.js';

describe('the settings of a client', () => {
  it('find the gateway of the defaults', () => {
    expect(loadClientConfig({})).toEqual({
      url: 'http://127.0.0.1:4000',
      token: undefined,
      tokenFile: resolve('.sluice', 'admin-token'),
    });
  });

  it('follow the gateway that runs with the same environment', () => {
    const config = loadClientConfig({ SLUICE_PORT: '4123', SLUICE_HOME: '/srv/sluice' });
    expect(config).toMatchObject({ url: 'http://127.0.0.1:4123', tokenFile: resolve('/srv/sluice', 'admin-token') });
  });

  it('take an address and a token that are given', () => {
    const config = loadClientConfig({ SLUICE_URL: 'https://sluice.example.org', SLUICE_ADMIN_TOKEN: 'a'.repeat(20) });
    expect(config).toMatchObject({ url: 'https://sluice.example.org', token: 'a'.repeat(20) });
  });

  it('refuse an address that is none, with the name of the variable', () => {
    expect(() => loadClientConfig({ SLUICE_URL: 'localhost:4000' })).toThrow(/SLUICE_URL is "localhost:4000"/);
  });
});
