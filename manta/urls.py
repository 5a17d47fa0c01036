from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from accounts.address_views import AddressView
from accounts.sign_up_views import SignUp, SocialSignUp
from manta.core import api_docs, error_pages
from operations.views import readyz
from sandboxes.web.home import home

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler400 = "manta.core.error_pages.bad_request"
handler404 = "manta.core.error_pages.not_found"
handler500 = "manta.core.error_pages.server_error"

urlpatterns = [
    path("", home, name="home"),
    # First, as programs ask for them most: Django compares an address with each pattern in turn.
    path("api/", include("sandboxes.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs", api_docs.api_docs, name="api-docs"),
    path("", include("sandboxes.urls")),
    path("", include("operations.urls")),
    path("", include("accounts.oauth.urls")),
    path("account/", include("accounts.urls")),
    # All of an account is on one page: these of allauth's lead there.
    path("accounts/2fa/", RedirectView.as_view(pattern_name="accounts:settings")),
    path("accounts/email/", AddressView.as_view(), name="account_email"),
    path("accounts/sessions/", RedirectView.as_view(pattern_name="accounts:sessions")),
    path("accounts/signup/", SignUp.as_view(), name="account_signup"),
    path("accounts/3rdparty/signup/", SocialSignUp.as_view(), name="socialaccount_signup"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("help/errors/", error_pages.error_codes, name="error-codes"),
    path("readyz", readyz, name="readyz"),
]
