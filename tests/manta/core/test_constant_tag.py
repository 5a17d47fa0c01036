"""`{% constant %}`, by which the parts that never differ are rendered once."""

import pytest
from django.template import Context, TemplateSyntaxError, engines
from django.template.loader import get_template
from django.test import RequestFactory


def template(text):
    return engines["django"].from_string(text)


def test_it_is_rendered_once(monkeypatch):
    page = template("{% load static %}{% constant %}{% static 'a.js' %}{% endconstant %}")
    first = page.render()
    monkeypatch.setattr("django.templatetags.static.StaticNode.url", lambda *_: "another")

    assert first == "/static/a.js"
    assert page.render() == first


def test_while_one_works_on_it_each_time(monkeypatch, settings):
    settings.DEBUG = True
    page = template("{% load static %}{% constant %}{% static 'a.js' %}{% endconstant %}")
    page.render()
    monkeypatch.setattr("django.templatetags.static.StaticNode.url", lambda *_: "another")

    assert page.render() == "another"


def test_an_included_template_sees_no_variable_of_the_page(alice):
    page = template("{% constant %}{% include '_bar.html' %}{% endconstant %}")
    request = RequestFactory().get("/")
    request.user = alice

    shown = page.render({"user": alice, "panel": True}, request)

    assert alice.email not in shown
    assert "Sign in" in shown


@pytest.mark.parametrize(
    "inside",
    [
        "{{ user }}",
        "{% csrf_token %}",
        "{% if user %}{% endif %}",
        "{% block main %}{% endblock %}",
        "{% for each in all %}{{ each }}{% endfor %}",
    ],
)
def test_what_may_differ_is_refused(inside):
    with pytest.raises(TemplateSyntaxError, match="the same on every page"):
        template(f"{{% constant %}}{inside}{{% endconstant %}}")


def test_it_follows_the_engine_of_its_page():
    page = template("{% constant %}{% include '_mark.html' %}{% endconstant %}")

    assert page.template.render(Context()) == get_template("_mark.html").render()
