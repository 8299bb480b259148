// The way from a page to a machine: a ticket, and the one WebSocket that it opens.
export const SESSION_OVER = 4403;

// What the server says of a terminal or desktop that cannot be had.
export class Refused extends Error {}

export async function ticketFor(path, overWords) {
  const answer = await fetch(`${path}/ticket`, { method: "POST" });
  if (answer.redirected) throw new Refused(overWords);
  const said = await answer.json();
  if (said.error) throw new Refused(said.error);
  return said.ticket;
}

export function machineSocket(address, ticket) {
  const place = new URL(`${address}?ticket=${encodeURIComponent(ticket)}`, location.href);
  place.protocol = place.protocol.replace("http", "ws");
  return new WebSocket(place);
}
