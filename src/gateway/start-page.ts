/** What `GET /` answers: nothing that depends on who asks, no script, nothing from elsewhere. */
export const START_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sluice</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }</style>
<h1>Sluice</h1>
<p>A GraphQL gateway for data processing: launch ETL jobs by mutation, watch them by subscription.</p>
<ul>
<li><code>POST /graphql</code>: the API; subscriptions over WebSocket at the same path (graphql-transport-ws)</li>
<li><code>PUT /uploads/{name}</code>: files for <code>upload:</code> sources</li>
<li><a href="/health/ready">/health/ready</a>, <a href="/health/live">/health/live</a>: whether it works</li>
<li><code>GET /metrics</code>: figures for Prometheus</li>
</ul>
<p>Every request but those for health needs <code>Authorization: Bearer &lt;token&gt;</code>. The administrator's token is
made on the first start and kept in <code>$SLUICE_HOME/admin-token</code>.</p>
</html>
`;
