"""`{% constant %}`: parts of a page that are the same for everybody are rendered once a process."""

from django.conf import settings
from django.template import Context, Library, Node, NodeList, TemplateSyntaxError
from django.template.base import Parser, Token, VariableNode
from django.template.defaulttags import CsrfTokenNode, IfNode
from django.template.loader_tags import BlockNode

register = Library()

_REFUSED = (VariableNode, CsrfTokenNode, IfNode, BlockNode)


class ConstantNode(Node):
    """Part of a template that is rendered once per process, without the page's variables.

    Nothing of one person's page, and nothing of the moment, can be in what all others are shown.
    """

    # Nothing in it is looked for from outside, as a page's blocks are at each rendering.
    child_nodelists = ()

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self._text: str | None = None

    def render(self, context: Context) -> str:
        # Who works on a template or a style wants to see it at the next load.
        if self._text is None or settings.DEBUG:
            nothing = Context()
            with nothing.bind_template(context.template):  # type: ignore[arg-type]
                self._text = self.nodelist.render(nothing)
        return self._text


@register.tag
def constant(parser: Parser, token: Token) -> ConstantNode:
    """Render what is between this and `{% endconstant %}` once. Only what never differs fits in."""
    nodelist = parser.parse(("endconstant",))
    parser.delete_first_token()
    for kind in _REFUSED:
        if nodelist.get_nodes_by_type(kind):
            raise TemplateSyntaxError(
                "What is inside {% constant %} is the same on every page: leave out variables, "
                "conditions, blocks and the CSRF token."
            )
    return ConstantNode(nodelist)
