// The editor. Loaded when someone edits.

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import type { Diagnostic } from "../state/own.svelte.ts";

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.content, tags.attributeValue], color: "var(--oktext)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--fail)" },
  { tag: tags.comment, color: "var(--ink3)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--panel)", fontSize: "12px", flex: "1", minWidth: "0", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "19px", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "4px 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--ink3)", border: "none", fontSize: "11px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--sunk)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--sel)" },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line2)", borderRadius: "7px", fontFamily: "var(--sans)", maxWidth: "420px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--fail)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--fail)", textDecorationSkipInk: "none" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)", textDecorationSkipInk: "none" },
  ".cm-lintRange-info": { backgroundImage: "none", textDecoration: "underline dotted var(--ink2)" },
});

export function create(root: ShadowRoot, text: string, label: string, changed: (text: string) => void): EditorView {
  const wrapper = document.createElement("div");
  wrapper.setAttribute("part", "editor");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("[part=editor] { display: flex; flex: 1; min-width: 0; height: 100%; } :host { display: flex; }");
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  root.append(wrapper);
  return new EditorView({
    parent: wrapper,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(), history(), drawSelection(), highlightActiveLine(), yaml(), indentUnit.of("  "), syntaxHighlighting(colors), theme, lintGutter(),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        // Tab leaves the editor unless it is wanted: Escape, then Tab.
        keymap.of([...defaultKeymap, ...historyKeymap, { ...indentWithTab, key: "Ctrl-]" }]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) changed(update.state.doc.toString());
        }),
      ],
    }),
  });
}

export function show(view: EditorView, diagnostics: Diagnostic[]): void {
  const { length } = view.state.doc;
  const clamped = diagnostics.map(({ from, to, severity, message, help }) => ({
    from: Math.min(from, length), to: Math.min(Math.max(to, from), length), severity, message: help ? `${message}\n${help}` : message,
  }));
  view.dispatch(setDiagnostics(view.state, clamped));
}
