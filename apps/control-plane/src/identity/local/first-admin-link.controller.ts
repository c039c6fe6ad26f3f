import { Controller, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import { LoginLinkOutput } from '../users/user.dto.ts';
import { type IssuedLink, LoginLinks } from './login-links.service.ts';

@ApiTags('users')
@Controller('v1/first-admin-link')
export class FirstAdminLinkController {
  readonly #links: LoginLinks;

  constructor(links: LoginLinks) {
    this.#links = links;
  }

  @Post()
  @Allow('admin')
  @ApiOperation({ summary: 'Make the one-time link by which the first local administrator sets up an account; replaces the one before' })
  @ZodResponse({ status: 201, description: 'The link, which is shown once.', type: LoginLinkOutput })
  createFirstAdminLink(@Actor() actor: ChangeAuthor): Promise<IssuedLink> {
    return this.#links.issueForFirstAdmin(actor);
  }
}
