"""The scanner of PyYAML, with go-yaml's rules for tabs and plain scalars.

PyYAML refuses tabs that go-yaml treats as spaces, and reads the colon in ``[a:]`` as that of a map.
"""

import yaml
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import ScalarToken

_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = "\0 \t" + _BREAKS


class HelmScanner(Reader, Scanner):
    """Finds tokens where go-yaml finds them."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)

    # go-yaml has no "\/"; the stubs of PyYAML declare the table final
    ESCAPE_REPLACEMENTS = {  # type: ignore[misc]
        key: value for key, value in Scanner.ESCAPE_REPLACEMENTS.items() if key != "/"
    }

    def scan_to_next_token(self) -> None:
        """Skip spaces, comments, and tabs at which no key can begin."""
        while True:
            while self.peek() == " " or (
                self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)
            ):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain(self) -> ScalarToken:
        start = end = self.get_mark()
        indent = self.indent + 1
        text = spaces = ""
        while self.peek() != "#" and (length := self._plain_length()):
            self.allow_simple_key = False
            text += spaces + self.prefix(length)
            self.forward(length)
            end = self.get_mark()
            spaces = self._plain_spaces(indent)
            if not spaces or (not self.flow_level and self.column < indent):
                break
        return ScalarToken(text, True, start, end)

    def _plain_length(self) -> int:
        length = 0
        while (character := self.peek(length)) not in _BLANKS:
            if character == ":" and self.peek(length + 1) in _BLANKS:
                break
            if self.flow_level and character in ",?[]{}":
                break
            length += 1
        return length

    def _plain_spaces(self, indent: int) -> str:
        spaces = ""
        first = None
        breaks = ""
        while (character := self.peek()) in " \t" + _BREAKS:
            if character in " \t":
                if first is not None and self.column < indent:
                    self._refuse_tab()
                spaces += character
                self.forward()
                continue
            line_break = self.scan_line_break()
            if first is None:
                first = line_break
                self.allow_simple_key = True
            else:
                breaks += line_break
            if self.prefix(3) in ("---", "...") and self.peek(3) in _BLANKS:
                return ""
        if first is None:
            return spaces
        return breaks or " " if first == "\n" else first + breaks

    def scan_block_scalar_indicators(self, start_mark: yaml.Mark) -> tuple[bool | None, int | None]:
        keep = indent = None
        for _ in range(2):
            if keep is None and self.peek() in "+-":
                keep = self.peek() == "+"
            elif indent is None and self.peek() in "123456789":
                indent = int(self.peek())
            else:
                break
            self.forward()
        return keep, indent

    def scan_block_scalar_ignored_line(self, start_mark: yaml.Mark) -> None:
        while self.peek() in " \t":
            self.forward()
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, yaml.Mark]:
        found = super().scan_block_scalar_indentation()
        self._refuse_tab()
        return found

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], yaml.Mark]:
        found = super().scan_block_scalar_breaks(indent)
        if self.column < indent:
            self._refuse_tab()
        return found

    def _refuse_tab(self) -> None:
        if self.peek() == "\t":
            problem = "a tab stands where spaces are expected"
            raise ScannerError(None, None, problem, self.get_mark())
