// Which language a file is written in, by its name. Each is loaded when it is first needed.
import { LanguageSupport, StreamLanguage } from "@codemirror/language";

const legacy = (parser) => new LanguageSupport(StreamLanguage.define(parser));
const javascript = (options) => () =>
  import("@codemirror/lang-javascript").then((all) => all.javascript(options));

const LANGUAGES = [
  ["JavaScript", /\.[cm]?js$/, javascript()],
  ["JSX", /\.jsx$/, javascript({ jsx: true })],
  ["TypeScript", /\.[cm]?ts$/, javascript({ typescript: true })],
  ["TSX", /\.tsx$/, javascript({ jsx: true, typescript: true })],
  ["HTML", /\.(html?|vue|svelte)$/, () => import("@codemirror/lang-html").then((all) => all.html())],
  ["CSS", /\.css$/, () => import("@codemirror/lang-css").then((all) => all.css())],
  ["SCSS", /\.s[ac]ss$/, () => import("@codemirror/legacy-modes/mode/css").then((all) => legacy(all.sCSS))],
  ["Less", /\.less$/, () => import("@codemirror/legacy-modes/mode/css").then((all) => legacy(all.less))],
  ["JSON", /\.(json[5c]?|ipynb|webmanifest)$/, () => import("@codemirror/lang-json").then((all) => all.json())],
  ["Python", /\.pyi?$/, () => import("@codemirror/lang-python").then((all) => all.python())],
  ["Markdown", /\.(md|markdown|mdx)$/, () => import("@codemirror/lang-markdown").then((all) => all.markdown())],
  ["SQL", /\.sql$/, () => import("@codemirror/lang-sql").then((all) => all.sql())],
  ["YAML", /\.ya?ml$/, () => import("@codemirror/lang-yaml").then((all) => all.yaml())],
  ["Rust", /\.rs$/, () => import("@codemirror/lang-rust").then((all) => all.rust())],
  ["Go", /\.go$/, () => import("@codemirror/lang-go").then((all) => all.go())],
  ["Java", /\.java$/, () => import("@codemirror/lang-java").then((all) => all.java())],
  ["C++", /\.(c|h|cc|cpp|cxx|hh|hpp|hxx|ino)$/, () => import("@codemirror/lang-cpp").then((all) => all.cpp())],
  ["PHP", /\.php$/, () => import("@codemirror/lang-php").then((all) => all.php())],
  ["XML", /\.(xml|svg|xsd|xslt?|plist)$/, () => import("@codemirror/lang-xml").then((all) => all.xml())],
  ["Shell", /(\.(sh|bash|zsh|ksh)|\/\.(bashrc|bash_profile|profile|zshrc))$/, () => import("@codemirror/legacy-modes/mode/shell").then((all) => legacy(all.shell))],
  ["Dockerfile", /\/(dockerfile|containerfile)[^/]*$|\.dockerfile$/, () => import("@codemirror/legacy-modes/mode/dockerfile").then((all) => legacy(all.dockerFile))],
  ["TOML", /\.toml$/, () => import("@codemirror/legacy-modes/mode/toml").then((all) => legacy(all.toml))],
  ["Properties", /\.(ini|cfg|conf|properties)$|\/\.env[^/]*$/, () => import("@codemirror/legacy-modes/mode/properties").then((all) => legacy(all.properties))],
  ["Ruby", /\.rb$|\/(gemfile|rakefile)$/, () => import("@codemirror/legacy-modes/mode/ruby").then((all) => legacy(all.ruby))],
  ["Diff", /\.(diff|patch)$/, () => import("@codemirror/legacy-modes/mode/diff").then((all) => legacy(all.diff))],
];

// [name, load], or nothing for plain text.
export const languageOf = (path) => {
  const name = `/${path}`.toLowerCase();
  const found = LANGUAGES.find(([, pattern]) => pattern.test(name));
  return found && { name: found[0], load: found[2] };
};
