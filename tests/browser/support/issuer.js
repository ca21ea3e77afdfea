/** An OpenID provider with two clients, the settings page and another application, and forms that take any name. */
import http from "node:http";
import Provider from "oidc-provider";

/** Gives `{url, close}`. `pageUrl` is where the page is, with a slash at its end. */
export async function startIssuer(pageUrl) {
  const server = http.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    clients: ["settings-page", "another-application"].map((client_id) => ({
      client_id, token_endpoint_auth_method: "none", application_type: "native", grant_types: ["authorization_code"], response_types: ["code"],
      redirect_uris: [pageUrl], post_logout_redirect_uris: [pageUrl],
    })),
    clientBasedCORS: (_, origin) => origin === new URL(pageUrl).origin,
    cookies: { keys: ["of the tests"] },
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true },
  });
  server.on("request", provider.callback());
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url, close };
}
