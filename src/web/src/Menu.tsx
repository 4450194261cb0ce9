// SPDX-License-Identifier: GPL-3.0-or-later
// A button with a menu, as the ARIA practices have it: arrows, Home, End, letters, Escape.
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";

import { Icon, type IconName } from "./icons";

export interface MenuItem {
  label: string;
  run: () => void;
  isDestructive?: boolean;
}

const MARGIN = 6;

export function MenuButton({ label, icon = "more", items, className = "" }: {
  label: string;
  icon?: IconName;
  items: MenuItem[];
  className?: string;
}) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (refocus = true) => {
    setOpen(false);
    if (refocus)
      button.current?.focus();
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        className={`flat icon-button ${className}`}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" && !isOpen) {
            event.preventDefault();
            setOpen(true);
          }
        }}
      >
        <Icon name={icon} />
      </button>
      {isOpen && (
        <Menu id={id} label={label} items={items} anchor={button.current!} close={close} />
      )}
    </>
  );
}

function Menu({ id, label, items, anchor, close }: {
  id: string;
  label: string;
  items: MenuItem[];
  anchor: HTMLElement;
  close: (refocus?: boolean) => void;
}) {
  const menu = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = menu.current!;
    element.showPopover();
    const at = anchor.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(at.right - width, innerWidth - width - MARGIN);
    const below = at.bottom + MARGIN + height <= innerHeight;
    element.style.left = `${Math.max(MARGIN, left)}px`;
    element.style.top = `${Math.max(MARGIN, below ? at.bottom + 2 : at.top - height - 2)}px`;
    element.querySelector("button")!.focus();
  }, [anchor]);

  useEffect(() => {
    const away = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!menu.current?.contains(target) && !anchor.contains(target))
        close(false);
    };
    const leave = () => close(false);
    document.addEventListener("pointerdown", away);
    window.addEventListener("resize", leave);
    return () => {
      document.removeEventListener("pointerdown", away);
      window.removeEventListener("resize", leave);
    };
  });

  const handleKey = (event: KeyboardEvent) => {
    const buttons = [...menu.current!.querySelectorAll("button")];
    const now = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = {
      ArrowDown: (now + 1) % buttons.length,
      ArrowUp: (now + buttons.length - 1) % buttons.length,
      Home: 0,
      End: buttons.length - 1,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      buttons[to]!.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab")
      close();
    else if (event.key.length === 1) {
      const key = event.key.toLocaleLowerCase();
      const after = [...buttons.slice(now + 1), ...buttons.slice(0, now + 1)];
      after.find((button) => button.textContent!.toLocaleLowerCase().startsWith(key))?.focus();
    }
  };

  return (
    <div
      ref={menu}
      id={id}
      className="menu"
      role="menu"
      aria-label={label}
      popover="manual"
      onKeyDown={handleKey}
    >
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={item.isDestructive ? "flat destructive-text" : "flat"}
          onClick={() => {
            close();
            item.run();
          }}
        >
          {item.label}
        </button>
      ))}
    </div>
  );
}
