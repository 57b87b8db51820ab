"""Configuration of Sphinx, https://www.sphinx-doc.org/en/master/usage/configuration.html."""

from __future__ import annotations

from tornado_service._version import DOCS_URL, __version__

project = "tornado_service"
author = "The tornado_service developers"
copyright = author
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
# Files with a leading underscore are included by several pages.
exclude_patterns = ["**/_*.md", "examples/*/*/**"]
source_suffix = {".md": "markdown"}

# https://myst-parser.readthedocs.io/en/latest/syntax/optional.html
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

# https://www.sphinx-doc.org/en/master/usage/extensions/autodoc.html
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

copybutton_prompt_text = "$ "
copybutton_line_continuation_character = "\\"

# https://pydata-sphinx-theme.readthedocs.io/en/stable/user_guide/index.html
html_theme = "pydata_sphinx_theme"
html_title = "tornado_service"
html_baseurl = DOCS_URL
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "show_toc_level": 2,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["sphinx-version"],
    "footer_end": ["theme-version"],
}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
