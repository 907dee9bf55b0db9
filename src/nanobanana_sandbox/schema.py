"""The request messages, as far as the two APIs know them. What is not here is an unknown name."""

from nanobanana_sandbox.protojson import Enum, Message, Repeated

_PACKAGE = "google.ai.generativelanguage.v1beta."

_MODALITY = Enum(
    f"{_PACKAGE}GenerationConfig.Modality", ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO")
)
_THINKING_LEVEL = Enum(
    f"{_PACKAGE}ThinkingConfig.ThinkingLevel",
    ("THINKING_LEVEL_UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "MINIMAL"),
)
_HARM_CATEGORY = Enum(
    f"{_PACKAGE}HarmCategory",
    (
        "HARM_CATEGORY_UNSPECIFIED",
        "HARM_CATEGORY_DEROGATORY",
        "HARM_CATEGORY_TOXICITY",
        "HARM_CATEGORY_VIOLENCE",
        "HARM_CATEGORY_SEXUAL",
        "HARM_CATEGORY_MEDICAL",
        "HARM_CATEGORY_DANGEROUS",
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
        "HARM_CATEGORY_CIVIC_INTEGRITY",
        "HARM_CATEGORY_JAILBREAK",
        "HARM_CATEGORY_IMAGE_HATE",
        "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
        "HARM_CATEGORY_IMAGE_HARASSMENT",
        "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
    ),
)
_HARM_THRESHOLD = Enum(
    f"{_PACKAGE}SafetySetting.HarmBlockThreshold",
    (
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
        "BLOCK_LOW_AND_ABOVE",
        "BLOCK_MEDIUM_AND_ABOVE",
        "BLOCK_ONLY_HIGH",
        "BLOCK_NONE",
        "OFF",
    ),
)

_BLOB: Message = {"mimeType": "string", "data": "bytes"}
_PART: Message = {
    "text": "string",
    "inlineData": _BLOB,
    "fileData": {"mimeType": "string", "fileUri": "string"},
    "thought": "bool",
    "thoughtSignature": "bytes",
    "functionCall": "any",
    "functionResponse": "any",
    "executableCode": "any",
    "codeExecutionResult": "any",
    "videoMetadata": "any",
    "mediaResolution": "any",
    "partMetadata": "any",
}
_CONTENT: Message = {"role": "string", "parts": Repeated(_PART)}
_IMAGE_CONFIG: Message = {"aspectRatio": "string", "imageSize": "string"}
_VERTEX_IMAGE_CONFIG: Message = {
    **_IMAGE_CONFIG,
    "personGeneration": "string",
    "prominentPeople": "string",
    "imageOutputOptions": {"mimeType": "string", "compressionQuality": "int32"},
}


def _generate_content(image_config: Message, safety_setting: Message, extra: Message) -> Message:
    generation_config: Message = {
        "candidateCount": "int32",
        "stopSequences": Repeated("string"),
        "maxOutputTokens": "int32",
        "temperature": "float",
        "topP": "float",
        "topK": "float",
        "seed": "int32",
        "presencePenalty": "float",
        "frequencyPenalty": "float",
        "responseLogprobs": "bool",
        "logprobs": "int32",
        "responseMimeType": "string",
        "responseSchema": "any",
        "responseJsonSchema": "any",
        "responseModalities": Repeated(_MODALITY),
        "responseFormat": {"image": image_config, "text": "any", "audio": "any"},
        "speechConfig": "any",
        "mediaResolution": "string",
        "enableEnhancedCivicAnswers": "bool",
        "thinkingConfig": {
            "includeThoughts": "bool",
            "thinkingBudget": "int32",
            "thinkingLevel": _THINKING_LEVEL,
        },
        "imageConfig": image_config,
    }
    return {
        "model": "string",
        "contents": Repeated(_CONTENT),
        "systemInstruction": _CONTENT,
        "safetySettings": Repeated(safety_setting),
        "generationConfig": generation_config,
        "tools": Repeated("any"),
        "toolConfig": "any",
        "cachedContent": "string",
        "serviceTier": "string",
        "store": "bool",
        "continuationToken": "string",
        **extra,
    }


_SAFETY_SETTING: Message = {"category": _HARM_CATEGORY, "threshold": _HARM_THRESHOLD}

GENERATE_CONTENT: Message = _generate_content(_IMAGE_CONFIG, _SAFETY_SETTING, {})
VERTEX_GENERATE_CONTENT: Message = _generate_content(
    _VERTEX_IMAGE_CONFIG,
    {**_SAFETY_SETTING, "method": "string"},
    {"labels": "any", "modelArmorConfig": "any"},
)

_PREDICT_PARAMETERS: Message = {
    "sampleCount": "int32",
    "aspectRatio": "string",
    "sampleImageSize": "string",
    "personGeneration": "string",
    "safetySetting": "string",
    "includeRaiReason": "bool",
    "includeSafetyAttributes": "bool",
    "outputOptions": {"mimeType": "string", "compressionQuality": "int32"},
    "guidanceScale": "float",
}
_VERTEX_PREDICT_PARAMETERS: Message = {
    **_PREDICT_PARAMETERS,
    "negativePrompt": "string",
    "seed": "int32",
    "addWatermark": "bool",
    "enhancePrompt": "bool",
    "language": "string",
    "storageUri": "string",
}
_INSTANCE: Message = {"prompt": "string", "image": "any"}

PREDICT: Message = {"instances": Repeated(_INSTANCE), "parameters": _PREDICT_PARAMETERS}
VERTEX_PREDICT: Message = {
    "instances": Repeated(_INSTANCE),
    "parameters": _VERTEX_PREDICT_PARAMETERS,
    "labels": "any",
}
