// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useId, useState } from "react";
import type { Module, Provider } from "@confab/react";

import { Dialog } from "./Dialog";
import { format, _ } from "./i18n";
import { changeModule, loadProviders } from "./library";
import type { Place } from "./router";

function nameOf({ name }: Provider): string {
  return name === "builtin" ? _("Built-in talker") : name;
}

/** Who answers in a conversation, and how. */
export function SettingsDialog({ place, module, providers, close }: {
  place: Place;
  module: Module | undefined;
  providers: Provider[];
  close: () => void;
}) {
  const [provider, setProvider] = useState(module?.provider ?? "");
  const [model, setModel] = useState(module?.model ?? "");
  const [instructions, setInstructions] = useState(module?.instructions ?? "");
  const [temperature, setTemperature] = useState(
    module?.parameters?.["temperature"]?.toString() ?? "",
  );
  const id = useId();
  const standard = providers.find((candidate) => candidate.default);
  const chosen = providers.find(({ name }) => name === provider) ?? standard;

  useEffect(() => {
    void loadProviders();
  }, []);

  const submit = () => {
    const { temperature: _old, ...parameters } = module?.parameters ?? {};
    if (temperature.trim())
      parameters["temperature"] = Number(temperature);
    return changeModule(place, { provider, model: model.trim(), instructions, parameters });
  };

  return (
    <Dialog title={_("Chat settings")} submit={submit} close={close}>
      <div className="field">
        <label htmlFor={`${id}-provider`}>{_("Provider")}</label>
        <select
          id={`${id}-provider`}
          value={provider}
          onChange={(event) => {
            setProvider(event.target.value);
            setModel("");
          }}
        >
          <option value="">
            {standard ? format(_("Default (%s)"), nameOf(standard)) : _("Default")}
          </option>
          {providers.map((candidate) => (
            <option key={candidate.name} value={candidate.name}>
              {nameOf(candidate)}
            </option>
          ))}
        </select>
        {chosen?.error && <p className="field-error">{chosen.error}</p>}
      </div>
      <div className="field">
        <label htmlFor={`${id}-model`}>{_("Model")}</label>
        <input
          id={`${id}-model`}
          list={`${id}-models`}
          value={model}
          placeholder={_("Default")}
          autoComplete="off"
          maxLength={256}
          onChange={(event) => setModel(event.target.value)}
        />
        <datalist id={`${id}-models`}>
          {chosen?.models.map((name) => <option key={name} value={name} />)}
        </datalist>
      </div>
      <div className="field">
        <label htmlFor={`${id}-instructions`}>{_("Instructions")}</label>
        <textarea
          id={`${id}-instructions`}
          rows={5}
          value={instructions}
          placeholder={_("What the model should always keep in mind, such as its role or tone")}
          onChange={(event) => setInstructions(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-temperature`}>{_("Temperature")}</label>
        <input
          id={`${id}-temperature`}
          type="number"
          min="0"
          max="2"
          step="0.1"
          value={temperature}
          placeholder={_("Default")}
          onChange={(event) => setTemperature(event.target.value)}
        />
      </div>
    </Dialog>
  );
}
