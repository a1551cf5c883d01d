/**
 * A page that goes on to a path of ours. No redirect: a browser that comes from another site would not send the new
 * cookie along, which is for pages of this site alone; from here it does.
 */
export function signedInPage(path: string): Response {
  const to = path.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${to}"><title>Signed in</title></head>
<body><p>You are signed in. <a href="${to}">Go on</a></p></body>
</html>
`;
  return new Response(html, { status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
}
