// SPDX-License-Identifier: GPL-3.0-or-later
// Symbolic icons, of 16 by 16, in the colour of the text.
const paths = {
  add: "M8 2.5v11M2.5 8h11",
  attention: "M8 2 14.5 13.5h-13ZM8 6.5v3M8 11.4v.2",
  chat: "M2 3h12v8H8l-3.5 3v-3H2Z",
  check: "m3 8.5 3.5 3.5L13 4.5",
  close: "m4 4 8 8M12 4l-8 8",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  delete: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.6 7v4M9.4 7v4",
  down: "m4 6 4 4 4-4",
  edit: "m3 13 .6-3L11 2.6 13.4 5 6 12.4ZM9.5 4.1l2.4 2.4",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  more: "M8 3.2v.1M8 8v.1M8 12.8v.1",
  next: "m6 3 5 5-5 5",
  previous: "M10 3 5 8l5 5",
  redo: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3.2H9.8",
  search: "M11 7A4 4 0 1 1 3 7a4 4 0 0 1 8 0ZM10 10l3.5 3.5",
  send: "M8 13.5v-11M3.5 7 8 2.5 12.5 7",
  session: "M2 4.5h4.5l1.5 2h6v7H2ZM2 4.5v-2h4l1 2",
  settings: "M2.5 4.5h11M2.5 11.5h11M5.5 3v3M10.5 10v3",
  sidebar: "M2 3h12v10H2ZM6 3v10",
  stop: "M4 4h8v8H4z",
};

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
