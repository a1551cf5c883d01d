import type { InstructionPattern } from "./instruction-pattern.ts";

/** Patterns over `plainWords`: to carry something out, in secret, by tools or whoever reads. Built as `overridePatterns`. */
export const actionPatterns: readonly InstructionPattern[] = [
  // Exfiltration: to carry something out.
  {
    kind: "exfiltration",
    weight: 0.7,
    pattern:
      / (?:send|post|forward|upload|append|include|transmit|write|encode|put|copy|leak|pass|take|exfiltrate|email|mail|add|insert|give|paste|export|share|resend)(?: [^ .]{1,24}){0,8} (?:conversation|chat|history|messages?|keys?|passwords?|credentials?|secrets?|tokens?|secretfile|variables?|data|customer list|inbox|contents?|e mail address|prompt)(?: [^ .]{1,24}){0,8} (?:urlurl|mailmail|webhook|parameter|argument|field|query|url|link|endpoint|gist|reply|address)[ s]/,
  },
  {
    kind: "exfiltration",
    weight: 0.5,
    pattern: / (?:read|open|load|cat|take|copy|upload|send|fetch)(?: [^ .]{1,24}){0,4} secretfile /,
  },
  {
    kind: "exfiltration",
    weight: 0.5,
    pattern:
      / (?:secretfile|environment variables?|api keys?|passwords?|credentials?)(?: [^ .]{1,24}){0,8} (?:parameter|argument|field|sidenote|webhook|urlurl|mailmail|your (?:reply|answer)|next tool call|tool call) /,
  },
  { kind: "exfiltration", weight: 0.5, pattern: / (?:bcc|cc)(?: [^ .]{1,24}){0,6} mailmail / },
  {
    kind: "exfiltration",
    weight: 0.5,
    pattern:
      / (?:passwords?|stored credentials|account data|private conversation|user data|phone numbers?)(?: [^ .]{1,24}){0,6} (?:to this chat|in the reply|of the last user|for me) /,
  },
  {
    kind: "exfiltration",
    weight: 0.6,
    pattern:
      / (?:send|post|submit|upload|forward|resend|mail|put|include|transmit|provide|pass|paste|give|ask for)(?: [^ .]{1,24}){0,8} (?:passwords?|environment variables?|conversation history|conversation|credentials|secrets?|tokens?|users last messages?|last messages|chat history|file list|tickets)(?: [^ .]{1,24}){0,10} /,
  },
  {
    kind: "exfiltration",
    weight: 0.5,
    pattern:
      / (?:call|invoke|run)(?: [^ .]{1,24}){0,2} (?:get|list|read|dump) (?:secrets?|credentials?|passwords?|tokens?)(?: [^ .]{1,24}){0,4} /,
  },
  {
    kind: "exfiltration",
    weight: 0.5,
    pattern:
      / (?:attach|post|send|put|encode|base64|smuggle|leak|embed|hide|look up|read back|append|write|push|upload|dump|copy)(?: [^ .]{1,24}){0,6} (?:private keys?|password hash|key file|config file|access tokens?|each secret|secrets?|credentials|medical records|rows|users? location|users? address|environment)(?: [^ .]{1,24}){0,8} (?:to|in|into|as|for|of|with|at) /,
  },
  // Secrecy: to do it behind the user's back.
  {
    kind: "secrecy",
    weight: 0.7,
    pattern:
      / (?:do not|dont|never|must not|without|not|that the user does not)(?: [^ .]{1,24}){0,2} (?:tell|telling|mention|mentioning|inform|informing|reveal|report|notify|notifying|notice|disclose|show|let)(?: [^ .]{1,24}){0,3} (?:users?|anyone|anybody|human|person|this comment|this text|this step|these instructions|this instruction|it to) /,
  },
  {
    kind: "secrecy",
    weight: 0.5,
    pattern:
      / (?:(?<! (?:will|would) (?:succeed|fail) )silently|secretly|without (?:the users? (?:knowledge|consent|knowing)|informing|telling|being noticed)|behind the users? back) /,
  },
  {
    kind: "secrecy",
    weight: 0.5,
    pattern:
      / (?:do not|dont|never|without) (?:ask|asking)(?: [^ .]{1,24}){0,3} (?:confirmation|permission|approval|consent) /,
  },
  {
    kind: "secrecy",
    weight: 0.4,
    pattern:
      / (?:do not mention|hide|conceal|delete)(?: [^ .]{1,24}){0,4} (?:it|this|negative reviews|sent copies|traces?|tracks) /,
  },
  // Texts of documents and tools that speak to whoever reads them by machine.
  {
    kind: "addressed-to-model",
    weight: 0.65,
    pattern:
      / (?:note|attention|instructions?|message|notice|hidden|memo|warning|reminder|important)(?: (?:to|for|from))?(?: (?:all|the|any))? (?:ai|ais|llms?|language models?|assistants?|agents?|model|bots?|chatbots?|gpt)(?: [^ .]{1,24}){0,3} (?:\.|must|should|summari[sz]ing|reading|processing|parsing|that|who|recommend|treat|systems?) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.6,
    pattern:
      / if (?:you are|an|a|any) (?:ai|llm|language model|ai assistant|assistant|agent|bot|automated)(?: [^ .]{1,24}){0,6} /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      / (?:ai|llms?|language models?|ai (?:assistant|agent|reviewer|model)s?)(?: [^ .]{1,24}){0,4} (?:must|have to|has to|are required to|is required to|should always|shall) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern: / (?:agent|assistant|model|ai|llm) (?:reading|processing|parsing|summari[sz]ing) (?:this|the) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      / (?:llm|ai assistant|hey assistant|dear ai|hey ai) (?:\. )?(?:in your summary|the user would like|processing) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern: / treat(?: [^ .]{1,24}){0,8} as (?:commands?|instructions?|orders?) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.4,
    pattern: / whoever parses (?:this|it)(?: [^ .]{1,24}){0,2} automatically /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.55,
    pattern:
      / (?:ai agent|ai agents|ai assistant|ai assistants|ai model|ai models|ai reviewer|ai code reviewer|llm|language models?|automated agents?|agents? handling|notice to agents?|clients that are ai models)(?: [^ .]{1,24}){0,6} (?:to continue|must|call|forward|approve|approved|working on|handling|include|should|screening|skip|session expired|recommend|this document|recruiter) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      / (?:the )?(?:assistant|model|agent|agents|llm) (?:must|has to|have to|needs to|is required to|shall|should|will need to|only)(?: [^ .]{1,24}){0,3} (?:send|call|run|invoke|upload|download|execute|first|ask|silently|always|also|include|post|read|give|grant|forward|delete|open|paste|rate) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern: / (?:next|required|following)(?: [^ .]{1,24}){0,2} step(?:s)? for the (?:ai|assistant|model|agent|llm) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      / (?:agent instructions|note to llm|assistant instructions|instructions for (?:the )?(?:llm|ai|model|assistants?|agents?)|note for (?:the )?(?:llm|ai|model|assistants?|agents?)|assistant only|system note) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      / (?:language models?|llms?|ai|ais|assistants?|agents?|bots?|summari[sz]ers?|peers|workers)(?: [^ .]{1,24}){0,3} (?:(?:are|is) (?:instructed|required|asked|told|requested|ordered|obliged)|agrees? to|shall|must) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      / (?:whoever|anybody who|if (?:somebody|anybody|anyone|the user)|when (?:somebody|anybody|anyone|the user)) (?:asks?|says|wants)(?: [^ .]{1,24}){0,8} (?:tell|say|claim|call|send|answer|state|give)(?: [^ .]{1,24}){0,1} (?:that|them|the|it) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern:
      / (?:recommend|rank|rate|prefer|praise|score|list)(?: [^ .]{1,24}){0,6} (?:first|over all|above all|excellent|maximum score|perfect|highest)(?: [^ .]{1,24}){0,4} (?:and|regardless|no matter|whatever|others) | regardless of (?:content|the content|what|the table|the facts|qualification) | (?:omit|hide|leave out|suppress)(?: [^ .]{1,24}){0,2} (?:negative|complaints?|criticism|reviews|accusations?|risks|warnings) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.5,
    pattern: / (?:hidden|invisible|white) (?:white )?(?:text|requirement|note|instructions?|command) /,
  },
  {
    kind: "addressed-to-model",
    weight: 0.4,
    pattern:
      / (?:remember|save|store|keep)(?: [^ .]{1,24}){0,2} (?:for later|to (?:your )?memory|permanently|in (?:your )?memory) | (?:in all future|from now on|whenever i (?:write|say)|in each answer from now) /,
  },
  // Tool coercion: a tool or a text that decides over the use of others.
  {
    kind: "tool-coercion",
    weight: 0.55,
    pattern:
      / (?:before|whenever|after|when)(?: [^ .]{1,24}){0,6} (?:any other tools?|other tools?|this tool|this result|each answer|the user asks?)(?: [^ .]{1,24}){0,8} (?:must|always|instead|immediately|first|silently) (?:call|run|use|read|invoke|send) /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern:
      / (?:never|do not|dont|must not) (?:use|call)(?: [^ .]{1,24}){0,4} (?:other|others|that one|any other|another)(?: [^ .]{1,24}){0,3} (?:use this|server|tools?|instead) /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern: / (?:this tool replaces|otherwise the tool|else the tool)(?: [^ .]{1,24}){0,4} /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern:
      / (?:must|should|immediately|now) (?:use|call|run|invoke|open|accept|execute)(?: [^ .]{1,24}){0,8} (?:transfer|delete|drop|curl|full chat history|private projects|credentials|without review|pull request) /,
  },
  { kind: "tool-coercion", weight: 0.5, pattern: / (?:curl|wget) urlurl (?:sh|bash) / },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern:
      / (?:must|has to|needs to) be called (?:before|first)(?: [^ .]{1,24}){0,6} (?:every|any|all)?(?: [^ .]{1,24}){0,2} | this tool has priority(?: [^ .]{1,24}){0,3} /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern:
      / (?:full|complete|entire|whole|users full) (?:conversation|chat history|chat|context)(?: [^ .]{1,24}){0,3} (?:as|in|to|into)(?: [^ .]{1,24}){0,3} /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern:
      / whenever the user(?: [^ .]{1,24}){0,8} (?:call|use|send|run|instead) | instead of (?:answering|the one|the tool)(?: [^ .]{1,24}){0,4} /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern: / (?:drop table|rm rf|chmod r 777|delete all|delete history)(?: [^ .]{1,24}){0,2} /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern:
      / (?:download and execute|merge at once|approve it without|approve this|accept the pull request|skip the security|do not report any)(?: [^ .]{1,24}){0,4} /,
  },
  {
    kind: "tool-coercion",
    weight: 0.5,
    pattern:
      / (?:grant|give|add)(?: [^ .]{1,24}){0,5} (?:admin rights|owner|collaborator|administrator|full rights)(?: [^ .]{1,24}){0,3} /,
  },
  { kind: "tool-coercion", weight: 0.5, pattern: / recipient to(?: [^ .]{1,24}){0,3} | change the recipient / },
  // Authority: somebody who need not prove who they are.
  {
    kind: "authority",
    weight: 0.5,
    pattern:
      / (?:i am|this is|as|by order of)(?: [^ .]{1,24}){0,2} (?:your |the )?(?:developers?|administrators?|admin|creators?|openai|anthropic|security team|system owner|root|operator)(?: [^ .]{1,24}){0,8} (?:authori[sz]e|command|override|disable|drop|ignore|lifted|export|reveal|print|need you to|order) /,
  },
  {
    kind: "authority",
    weight: 0.5,
    pattern: / (?:emergency protocol|override code|admin override|system override|administrator mode|root access) /,
  },
  {
    kind: "authority",
    weight: 0.5,
    pattern:
      / (?:approved|allowed|authori[sz]ed|verified)(?: [^ .]{1,24}){0,6} (?:ignore|disclose|exception|restrictions?|administrator|confidentiality) /,
  },
];
