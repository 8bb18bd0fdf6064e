"""The commands of our documents. A fence says where its commands can be run: `sh` on this machine, `sh cluster` and
`sh aws` where there is one. Commands of ours and of Helm are checked wherever they stand."""

import re
import shlex

import charts

FENCE = re.compile(r"^```(\w*) *(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACES = ("", "cluster", "aws")


def files():
    return [*sorted((charts.REPOSITORY / "docs").glob("*.md")), *sorted(charts.DEPLOY.rglob("README.md"))]


def fences(file):
    """Every fence's language, place and text."""
    return [(match[1], match[2], match[3]) for match in FENCE.finditer(file.read_text())]


def commands(text):
    """The simple commands of a shell text, without their redirections."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        command = []
        for word in [*words, "|"]:
            if word in ("|", "&&", ";", "&"):
                if command:
                    yield command
                command = []
            elif re.fullmatch(r"\d?[<>]+.*", word):
                command.append(">")
            else:
                command.append(word)


def of(program):
    """Every command of a program, with its document: the words after its name, up to a redirection."""
    for file in files():
        for language, _, text in fences(file):
            if language == "sh":
                for command in commands(text):
                    if program in (word.rsplit("/", 1)[-1] for word in command[:1]):
                        arguments = command[1:]
                        yield file.name, arguments[:arguments.index(">")] if ">" in arguments else arguments


def anchors(file):
    """The headings of a document, as links name them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", file.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
