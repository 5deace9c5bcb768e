"""What each recorded document must be read as: written down by hand, not by code.

A media is (native id, kind, author's id, author's name, how the caption starts,
likes, comments, tags, (place id, place name), posted at, sources per asset).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "fixtures" / "instagram_v1"

RED_FOX = (
    "1039221684508306433", "image", "412000101", "Lena Fuchs", "Red fox in the snow 🦊",
    17, 1, ("fox", "winter"), None, 1438104900, [3],
)  # fmt: skip
KITSUNE = (
    "1039220887590546434", "video", "412000303", "ゆき", "きつね #fox #きつね",
    1, 0, ("fox", "きつね"), ("1024875", "蔵王キツネ村"), 1438104805, [6],
)  # fmt: skip
DOLOMITI = (
    "1039188130076306435", "image", "412000202", "Marco B. 📷", None,
    0, 1, (), (None, None), 1438100900, [3],
)  # fmt: skip
KIT_SEASON = (
    "1039146187036306437", "image", "412000101", "Lena Fuchs", "Kit season. With @",
    241, 2, ("fox", "kits"), ("213385402", "Tiergarten"), 1438095900, [3],
)  # fmt: skip
FRUITVALE = ("74480", "Fruitvale BART")
SOUTH_PARK = ("114", "South Park")

MEDIA: dict[str, list[tuple[Any, ...]]] = {
    "geography_recent_media_2011_real.json": [
        ("31000411", "image", "1056886", "\ue32eLuzmila\ue32e", "Ocean Drive ",
         2, 0, (), ("1313027", "South Beach, Fl"), 1298688799, [3]),
        ("30927855", "image", "33287", "Kent Nguyen", "Gay.",
         0, 0, (), ("671519", "Palace Bar"), 1298674017, [3]),
        ("30925082", "image", "2198895", "Jerid Choen", "A whole lotta coffee ",
         0, 1, (), ("402760", "Gansevoort Hotel"), 1298673399, [3]),
    ],
    "location_recent_media_2011_real.json": [
        ("22998901", "image", "214995", "_Sasha Zvereva", "Breakfast in the park",
         15, 3, (), SOUTH_PARK, 1296751743, [3]),
        ("22729355", "image", "183177", "Olivia Vong", None,
         0, 0, (), SOUTH_PARK, 1296683671, [3]),
        ("22703578", "image", "590460", None, "Lunch",
         0, 2, (), SOUTH_PARK, 1296675964, [3]),
    ],
    "media_caption_null_location_latlng_only.json": [DOLOMITI],
    "media_carousel.json": [
        ("1510620349929106439", "album", "412000101", "Lena Fuchs", "Three from the",
         52, 3, ("fox",), None, 1494300000, [3, 3, 3]),
    ],
    "media_image.json": [RED_FOX],
    "media_image_2014_real.json": [
        ("733194846952938437", "image", "26669533", "Nj", "Bom diaaaaa !! #alegria",
         370660, 79623, ("alegria",), None, 1401623658, [3]),
    ],
    "media_location_null_name_real.json": [
        ("315", "image", "4", None, None,
         3, 6, (), (None, None), 1280379741, [3]),
    ],
    "media_popular.json": [KIT_SEASON, RED_FOX, KITSUNE],
    "media_popular_2011_real.json": [
        ("3379432", "image", "31123", "GIna G", "Mama Bird......",
         12, 1, (), None, 1289324623, [3]),
        ("3371369", "image", "74932", "Juan Pascual", "Central Park, NYC",
         44, 4, (), None, 1289319710, [3]),
        ("3281493", "image", "530469", "Zamba", "Tianzifang, Shanghai",
         49, 1, (), ("244119", "田子坊"), 1289269557, [3]),
        ("3379544", "image", "221116", "Andrew Mackey", "Big drain pipe",
         8, 1, (), None, 1289324684, [3]),
        ("3361265", "image", "190905", "k mitsu", "ガラスフィルター",
         31, 6, (), None, 1289314405, [3]),
    ],
    "media_search_2010_real.json": [
        ("2582155", "image", "208329", "Rachel Lightfoot", "Emergency",
         0, 1, (), FRUITVALE, 1288931757, [3]),
        ("2086015", "image", "305504", "Kate Ramos", "Caramel Beignets! Yummy :)",
         0, 1, (), ("163042", "Powderface"), 1288644633, [3]),
        ("1470374", "image", "304020", "Hannah Coughlin", "Bored on Bart ",
         0, 1, (), FRUITVALE, 1288232753, [3]),
        ("1369695", "image", "233618", "Gregory Hurcomb", "Emergency",
         0, 1, (), FRUITVALE, 1288136246, [3]),
    ],
    "media_search_with_distance.json": [KIT_SEASON, DOLOMITI],
    "media_users_in_photo_location.json": [KIT_SEASON],
    "media_video.json": [KITSUNE],
    "tag_recent_2010_real.json": [
        ("636982", "image", "12053", "Cathy Wang", "Midnight dancing @kevinjaako.",
         0, 1, (), None, 1287439896, [3]),
        ("455592", "image", "46088", "Edward van Meel", "Van wie is eigenlijk mijn",
         1, 1, (), None, 1287237652, [3]),
        ("12359", "image", "5273", "nik", "Front-page worthy: @instagramapp.",
         7, 2, (), None, 1286394994, [3]),
    ],
    "tag_recent_page1.json": [RED_FOX, KITSUNE, DOLOMITI],
    "tag_recent_page2_last.json": [
        ("1039179741468306436", "image", "412000404", None, "#fox",
         0, 0, ("fox",), None, 1438099900, [3]),
        KIT_SEASON,
    ],
    "tag_recent_poll_nothing_new.json": [],
    "tag_recent_unknown_tag.json": [],
    "user_recent_media_2010_real.json": [
        ("3382522", "image", "4", "Mike Krieger!!", "Earear",
         0, 1, (), (None, None), 1296713289, [3]),
        ("3", "video", "3", "Kevin S", None,
         1, 2, (), None, 1279340983, [5]),
    ],
}  # fmt: skip

CURSORS: dict[str, tuple[str | None, str | None]] = {
    "geography_recent_media_2011_real.json": (None, "30854426"),
    "location_recent_media_2011_real.json": (None, "18730645"),
    "tag_recent_2010_real.json": (None, None),
    "tag_recent_page1.json": ("1438104912773122", "1438100912004417"),
    "tag_recent_page2_last.json": ("1438099912554982", None),
    "tag_recent_poll_nothing_new.json": ("1438104912773122", None),
    "tag_recent_unknown_tag.json": (None, None),
    "user_recent_media_2010_real.json": (None, "3382522"),
}

ERRORS: dict[str, tuple[int, str, str, str]] = {
    "errors/forwarded_for_required_403_no_meta.json":
        (403, "OAuthForbiddenException", "Invalid header: X-Insta", "AuthRefused"),
    "errors/invalid_access_token_400.json":
        (400, "OAuthAccessTokenException", "The access_token provid", "AuthRefused"),
    "errors/invalid_client_id_400.json":
        (400, "OAuthParameterException", "The client_id provided is", "AuthRefused"),
    "errors/invalid_parameters_400.json":
        (400, "APIInvalidParametersError", "count must be larger", "ProviderError"),
    "errors/media_not_found_400.json":
        (400, "APINotFoundError", "invalid media id", "ProviderError"),
    "errors/missing_client_id_or_token_400.json":
        (400, "OAuthParameterException", "Missing client_id or", "AuthRefused"),
    "errors/oauth_exception_400.json":
        (400, "OAuthException", "...", "AuthRefused"),
    "errors/oauth_token_exchange_400_no_meta.json":
        (400, "OAuthException", "No matching code found.", "AuthRefused"),
    "errors/permission_scope_400.json":
        (400, "OAuthPermissionsException", "This request requires", "AuthRefused"),
    "errors/private_400.json":
        (400, "APINotAllowedError", "you cannot view this", "ProviderError"),
    "errors/rate_limit_429_enveloped.json":
        (429, "OAuthRateLimitException", "The maximum number of", "RateLimited"),
    "errors/rate_limit_429_no_meta.json":
        (429, "OAuthRateLimitException", "The maximum number of", "RateLimited"),
    "errors/signature_mismatch_403_no_meta.json":
        (403, "OAuthForbiddenException", "Signature does not match", "AuthRefused"),
    "errors/subscription_bad_client_400.json":
        (400, "APISubscriptionError", 'Invalid "client_id" and', "SubscriptionRefused"),
    "errors/subscription_challenge_failed_400.json":
        (400, "APISubscriptionError", "Challenge verification", "SubscriptionRefused"),
    "errors/subscription_invalid_response_400.json":
        (400, "APISubscriptionError", "Invalid response", "SubscriptionRefused"),
    "errors/subscription_unreachable_callback_400.json":
        (400, "APISubscriptionError", "Unable to reach", "SubscriptionRefused"),
    "errors/user_not_found_400.json":
        (400, "APINotFoundError", "this user does not exist", "ProviderError"),
    "error_no_authenticated_user.json":
        (400, "no authenticated user", "'self' keyword requires", "ProviderError"),
}  # fmt: skip

NOTIFICATIONS: dict[str, list[tuple[str, str, str, int]]] = {
    "notification_batch.json": [
        ("user", "1234", "1", 1297286541),
        ("tag", "nofilter", "2", 1297286541),
    ],
    "notification_geography_2015.json": [
        ("geography", "9140271", "18234413", 1438104914),
    ],
    "notification_tag_2014.json": [("tag", "fox", "18234411", 1438104912)],
    "notification_user_2015.json": [("user", "412000101", "18234412", 1438104913)],
}

WALL = "https://wall.example.org/callback"
OLD_CALLBACK = "http://your-callback.com/url/"
SUBSCRIPTIONS: dict[str, list[tuple[str, str, str | None, str]]] = {
    "subscription_created_geography.json": [("18234413", "geography", "9140271", WALL)],
    "subscription_created_location.json": [("18234414", "location", "1257285", WALL)],
    "subscription_created_tag.json": [("18234411", "tag", "fox", WALL)],
    "subscription_created_user.json": [("1", "user", None, OLD_CALLBACK)],
    "subscription_created_user_object_id_null.json": [("18234412", "user", None, WALL)],
    "subscriptions_list.json": [
        ("1", "user", None, OLD_CALLBACK),
        ("2", "location", "2345", OLD_CALLBACK),
    ],
    "subscriptions_list_empty.json": [],
}

NO_MEDIA = [
    "comment_created.json", "comment_deleted.json", "location.json",
    "location_search.json", "media_comments.json", "media_liked.json",
    "media_likes.json", "oauth_access_token.json", "oembed.json",
    "relationship_change.json", "subscription_deleted.json", "tag.json",
    "tag_search.json", "user.json", "user_follows.json", "user_search.json",
]  # fmt: skip
"""Answers that hold ids, people, links and texts, but no post."""

ABOUT_THE_WIRE = [
    "exchange_client_requests.json",
    "exchange_subscribe_handshake.json",
    "signature_vectors.json",
]


def body(name: str) -> bytes:
    """The bytes of a recorded document."""
    return (FOLDER / name).read_bytes()
